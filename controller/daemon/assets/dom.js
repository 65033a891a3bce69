// Elements without markup: text from the station only ever becomes text nodes, so a name cannot become a script.

const SVG = "http://www.w3.org/2000/svg";

function build(node, attributes, children) {
  for (const [name, value] of Object.entries(attributes ?? {})) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
    else node.setAttribute(name, value === true ? "" : String(value));
  }
  node.append(...children.flat().filter((child) => child !== null && child !== undefined));
  return node;
}

/** An HTML element. `on…` attributes are listeners; children are elements or texts. */
export function el(name, attributes, ...children) {
  return build(document.createElement(name), attributes, children);
}

/** An SVG element. */
export function svg(name, attributes, ...children) {
  return build(document.createElementNS(SVG, name), attributes, children);
}

/** Sets a text only when it differs, so that selections and screen readers are left in peace. */
export function setText(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

/** Sets an attribute only when it differs; null takes it away. */
export function setAttribute(node, name, value) {
  if (value === null) node.removeAttribute(name);
  else if (node.getAttribute(name) !== String(value)) node.setAttribute(name, String(value));
}

/** A part that is made anew only when what it shows has changed. */
export function redrawn(host, draw) {
  let before = null;
  return (shown) => {
    const now = JSON.stringify(shown);
    if (now === before) return;
    before = now;
    host.replaceChildren(...[draw(shown)].flat().filter((child) => child !== null));
  };
}

/** A titled part of the page. */
export function panel(name, title, ...children) {
  const heading = el("h2", { id: `${name}-title` }, title);
  return el("section", { class: `panel ${name}`, "aria-labelledby": `${name}-title` }, heading, ...children);
}
