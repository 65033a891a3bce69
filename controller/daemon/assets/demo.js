// The demonstration's switches. They are there when the station answers for them, which only a demonstration does.

import { el, panel, setAttribute, setText } from "./dom.js";
import { pick, t } from "./words.js";

export function demoPanel() {
  const list = el("div", { class: "switches" });
  const failure = el("p", { class: "small", role: "alert" });
  const node = panel("demo", t("demo"), el("p", { class: "small" }, t("demoHelp")), list, failure);
  node.hidden = true;
  const buttons = new Map();
  let stopped = false;

  function show(fault) {
    let button = buttons.get(fault.key);
    if (!button) {
      const state = el("span", { class: "state" });
      const node = el("button", { type: "button", role: "switch" }, el("span", {}, pick(fault.text)), state);
      node.addEventListener("click", () => turn(fault.key, node.getAttribute("aria-checked") !== "true"));
      button = { node, state };
      buttons.set(fault.key, button);
      list.append(node);
    }
    setAttribute(button.node, "aria-checked", fault.active ? "true" : "false");
    setText(button.state, t(fault.active ? "on" : "off"));
  }

  async function turn(key, active) {
    setText(failure, "");
    try {
      const answer = await fetch(`/demo/faults/${encodeURIComponent(key)}`, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify({ active }),
      });
      if (!answer.ok) throw new Error((await answer.json()).detail ?? answer.statusText);
      await read();
    } catch (error) {
      setText(failure, t("demoFailed", error.message));
    }
  }

  async function read() {
    const answer = await fetch("/demo/faults");
    if (!answer.ok || stopped) return;
    const { faults } = await answer.json();
    faults.forEach(show);
    node.hidden = faults.length === 0;
  }

  read().catch(() => {}); // No answer means no demonstration; the live connection says what else is wrong.
  return {
    node,
    stop() {
      stopped = true;
    },
  };
}
