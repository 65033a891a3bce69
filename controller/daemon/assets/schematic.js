// The process as a drawing: primary side, exchanger, secondary side, pumps, make-up, buildings.
//
// Two drawings of the same plant, one for wide and one for narrow screens, told apart by tables of places; what is drawn
// and what it says is the same code. Every number comes from a point of the station: one that the station does not have
// is not drawn, one that is bad is a dash with its reason.

import { el, setAttribute, setText, svg } from "./dom.js";
import { quantity, reading } from "./format.js";
import { pick, t } from "./words.js";

const WIDE = {
  box: [0, 0, 1000, 456],
  exchanger: { x: 330, y: 70, width: 64, height: 260, across: false },
  valve: { x: 220, y: 100, turned: false },
  pipes: {
    primarySupply: "M14 100H330",
    primaryReturn: "M14 300H330",
    secondarySupply: "M394 100H800V150",
    secondaryReturn: "M394 300H432M588 300H800V250",
  },
  arrows: [
    ["primarySupply", 176, 100, 0],
    ["primaryReturn", 150, 300, 180],
    ["secondarySupply", 640, 100, 0],
    ["secondaryReturn", 690, 300, 180],
  ],
  tags: {
    primarySupply: [14, 34, "start"],
    primaryReturn: [14, 342, "start"],
    valve: [220, 34, "middle"],
    heat: [362, 366, "middle"],
    secondarySupply: [420, 34, "start"],
    secondaryFlow: [660, 34, "start"],
    secondaryReturn: [654, 342, "start"],
    tank: [904, 414, "start"],
    makeUp: [622, 418, "end"],
  },
  pumps: { x: 510, y: 300, gap: 54, along: 78, radius: 17, upright: false, label: [22, -7] },
  makeUp: { joint: "M640 300V418H668M740 418H820", x: 704, y: 418, gap: 30, along: 36, radius: 11, tank: [820, 392, 74, 54] },
  buildings: { x: 736, y: 150, width: 250, height: 100, most: 4 },
};

const NARROW = {
  box: [0, 0, 400, 704],
  exchanger: { x: 50, y: 190, width: 320, height: 56, across: true },
  valve: { x: 110, y: 136, turned: true },
  pipes: {
    primarySupply: "M110 14V190",
    primaryReturn: "M330 14V190",
    secondarySupply: "M330 246V600",
    secondaryReturn: "M110 246V304M110 412V600",
  },
  arrows: [
    ["primarySupply", 110, 92, 90],
    ["primaryReturn", 330, 92, 270],
    ["secondarySupply", 330, 450, 90],
    ["secondaryReturn", 110, 276, 270],
  ],
  tags: {
    primarySupply: [122, 30, "start"],
    primaryReturn: [320, 30, "end"],
    valve: [152, 126, "start"],
    heat: [210, 226, "middle"],
    secondarySupply: [320, 282, "end"],
    secondaryFlow: [320, 356, "end"],
    secondaryReturn: [122, 540, "start"],
    tank: [290, 540, "middle"],
    makeUp: [214, 442, "middle"],
  },
  pumps: { x: 110, y: 358, gap: 92, along: 54, radius: 17, upright: true, label: [6, 36] },
  makeUp: { joint: "M110 482H188M240 482H258", x: 214, y: 482, gap: 30, along: 26, radius: 11, tank: [258, 462, 52, 42] },
  buildings: { x: 40, y: 600, width: 340, height: 98, most: 4 },
};

function withoutWords(point) {
  return point && { ...point, brief: true };
}

const narrow = matchMedia("(max-width: 700px)");

export class Schematic {
  /** The drawing of that circuit. */
  constructor(name, view) {
    this.name = name;
    this.own = `circuit.${name}.`;
    this.circuit = view.circuits.find((circuit) => circuit.name === name);
    this.node = el("div", { class: "schematic" });
    this.draw();
    narrow.addEventListener("change", () => {
      this.draw();
      if (this.last) this.update(...this.last);
    });
  }

  draw() {
    const places = narrow.matches ? NARROW : WIDE;
    this.updates = [];
    this.picture = svg("svg", { viewBox: places.box.join(" "), role: "group", "aria-label": `${t("schematic")} ${this.name}` });
    for (const [kind, path] of Object.entries(places.pipes)) {
      this.picture.append(svg("path", { d: path, class: `pipe ${kind}` }));
    }
    for (const [kind, x, y, turn] of places.arrows) {
      this.picture.append(svg("path", { d: "M-6 -7L8 0L-6 7Z", transform: `translate(${x} ${y}) rotate(${turn})`, class: `arrow ${kind}` }));
    }
    this.drawExchanger(places.exchanger);
    this.drawValve(places.valve);
    this.drawPumps(places.pumps, this.circuit.circulation_pumps, "circulation_pump", "pump", true);
    if (this.circuit.make_up_pumps > 0) this.drawMakeUp(places.makeUp);
    this.drawBuildings(places.buildings);
    this.drawTags(places.tags);
    this.node.replaceChildren(this.picture);
  }

  drawExchanger({ x, y, width, height, across }) {
    const diagonal = across ? `M${x} ${y + height}L${x + width} ${y}` : `M${x} ${y + height}L${x + width} ${y}`;
    this.picture.append(
      svg("rect", { x, y, width, height, rx: 5, class: "body" }),
      svg("path", { d: diagonal, class: "thin" }),
    );
  }

  drawValve({ x, y, turned }) {
    const turn = turned ? "rotate(90)" : "";
    this.picture.append(
      svg(
        "g",
        { transform: `translate(${x} ${y}) ${turn}` },
        svg("path", { d: "M-18 -12L18 12V-12L-18 12Z", class: "device" }),
        svg("path", { d: "M0 0V-18", class: "thin" }),
        svg("path", { d: "M-10 -18A10 10 0 0 1 10 -18Z", class: "device" }),
      ),
    );
  }

  /** Pumps side by side between two headers. */
  drawPumps({ x, y, gap, along, radius, upright, label }, count, kind, word, speeds) {
    const pipe = kind === "circulation_pump" ? "secondaryReturn" : "water";
    const first = (upright ? x : y) - ((count - 1) * gap) / 2;
    const last = first + (count - 1) * gap;
    const headers = upright
      ? `M${first} ${y - along}H${last}M${first} ${y + along}H${last}`
      : `M${x - along} ${first}V${last}M${x + along} ${first}V${last}`;
    if (count > 1) this.picture.append(svg("path", { d: headers, class: `pipe ${pipe}` }));
    for (let number = 1; number <= count; number += 1) {
      const at = first + (number - 1) * gap;
      const [px, py] = upright ? [at, y] : [x, at];
      const branch = upright ? `M${px} ${y - along}V${y + along}` : `M${x - along} ${py}H${x + along}`;
      const title = svg("title", {});
      // The point of the triangle shows where the water goes: to the exchanger.
      const wing = upright ? "M-0.8 0.5L0 -0.8L0.8 0.5Z" : "M0.5 -0.8L-0.8 0L0.5 0.8Z";
      const symbol = svg(
        "g",
        { transform: `translate(${px} ${py})`, class: "pump" },
        title,
        svg("circle", { r: radius }),
        svg("path", { d: wing, transform: `scale(${radius})`, class: "wing" }),
      );
      const text = label && svg("text", { x: px + label[0], y: py + label[1], class: "speed" });
      this.picture.append(svg("path", { d: branch, class: `pipe ${pipe}` }), symbol, ...(text ? [text] : []));
      const point = `${this.own}${kind}.${number}.`;
      this.updates.push((points) => {
        const [running, fault] = [points[`${point}running`], points[`${point}fault`]];
        const state = fault?.value === 1 ? "fault" : running?.value === 1 ? "running" : running?.value === 0 ? "standing" : "unknown";
        setAttribute(symbol, "data-state", state);
        const speed = points[`${point}speed_feedback`];
        const reason = state === "unknown" ? reading(running).reason : "";
        setText(title, `${t(word, number)}: ${t(state)} ${reason}`);
        if (text) {
          const shown = state === "running" && speeds && speed ? reading(speed).text : t(state);
          setText(text, `${number}# ${shown}`);
          setAttribute(text, "data-quality", state === "fault" || state === "unknown" ? "bad" : "good");
        }
      });
    }
  }

  drawMakeUp(place) {
    this.picture.append(svg("path", { d: place.joint, class: "pipe water" }));
    this.drawPumps({ ...place, upright: false, label: null }, this.circuit.make_up_pumps, "make_up_pump", "makeUpPump", false);
    const [x, y, width, height] = place.tank;
    const level = svg("rect", { x: x + 2, width: width - 4, y: y + height, height: 0, class: "level" });
    this.picture.append(level, svg("path", { d: `M${x} ${y}V${y + height}H${x + width}V${y}`, class: "vessel" }));
    this.updates.push((points) => {
      // Drawn as a share of two metres: a picture of much or little. The figure beside it is exact.
      const metres = points[`${this.own}tank.level`]?.value ?? 0;
      const filled = Math.min(1, Math.max(0, metres / 2)) * (height - 2);
      setAttribute(level, "y", (y + height - filled).toFixed(1));
      setAttribute(level, "height", filled.toFixed(1));
    });
  }

  drawBuildings({ x, y, width, height, most }) {
    const names = this.circuit.buildings;
    const shown = names.slice(0, names.length > most ? most - 1 : most);
    const cells = names.length > shown.length ? shown.length + 1 : Math.max(1, shown.length);
    const each = width / cells;
    for (let index = 0; index < cells; index += 1) {
      const left = x + index * each + 3;
      const name = shown[index];
      this.picture.append(svg("path", { d: `M${left} ${y + height}V${y + 16}L${left + (each - 6) / 2} ${y}L${left + each - 6} ${y + 16}V${y + height}Z`, class: "building" }));
      const middle = left + (each - 6) / 2;
      const heading = name ?? (names.length ? t("more", names.length - shown.length) : t("buildings"));
      this.picture.append(svg("text", { x: middle, y: y + 36, "text-anchor": "middle", class: "name" }, heading));
      if (name === undefined) continue;
      for (const [row, signal] of [[60, "supply_temperature"], [82, "return_temperature"]]) {
        const text = svg("text", { x: middle, y: y + row, "text-anchor": "middle", class: "value small" });
        this.picture.append(text);
        // There is no room for a reason under a roof; it stands in the title.
        this.line(text, (points) => withoutWords(points[`${this.own}building.${name}.${signal}`]));
      }
    }
  }

  /** A line of text that follows a point; hidden where the station has no such point. */
  line(text, find, before = "") {
    const title = svg("title", {});
    const words = document.createTextNode("");
    const reason = svg("tspan", { class: "reason" });
    text.append(words, reason, title);
    this.updates.push((points, circuit) => {
      const point = find(points, circuit);
      setAttribute(text, "visibility", point ? null : "hidden");
      if (!point) return;
      const shown = reading(point);
      const content = `${before}${shown.text}`;
      if (words.data !== content) words.data = content;
      setText(reason, shown.quality === "good" || point.brief ? "" : ` ${shown.short}`);
      setAttribute(text, "data-quality", shown.quality);
      setText(title, shown.reason);
    });
  }

  /** A heading with lines below it. */
  tag([x, y, anchor], heading, lines) {
    this.picture.append(svg("text", { x, y: y - 16, "text-anchor": anchor, class: "label" }, heading));
    lines.forEach(([find, before], index) => {
      const text = svg("text", { x, y: y + 2 + index * 19, "text-anchor": anchor, class: index === 0 ? "value" : "value small" });
      this.picture.append(text);
      this.line(text, find, before);
    });
  }

  drawTags(tags) {
    const own = (signal) => (points) => points[this.own + signal];
    const either = (signal) => (points) => points[this.own + signal] ?? points[signal];
    const station = (signal) => (points) => points[signal];
    this.tag(tags.primarySupply, t("primarySupply"), [
      [station("primary_supply.temperature")],
      [station("primary_supply.pressure")],
    ]);
    this.tag(tags.primaryReturn, t("primaryReturn"), [
      [either("primary_return.temperature")],
      [station("primary_return.pressure")],
      [either("primary.flow")],
    ]);
    const command = (points, circuit) => {
      const output = circuit.outputs[`${this.own}valve.position`];
      const bad = output?.state && ["mismatch", "refused", "expired"].includes(output.state.name);
      return output && { ...output, quality: bad ? "uncertain" : "good", reason: bad ? output.state : undefined };
    };
    this.tag(tags.valve, t("valve"), [[own("valve.position_feedback")], [command, `${t("command")} `]]);
    this.tag(tags.heat, t("heat"), [[own("heat_meter.power")]]);
    const setpoint = (points, circuit) => ({ value: circuit.setpoint.value, unit: "celsius", quality: "good" });
    this.tag(tags.secondarySupply, t("secondarySupply"), [
      [own("secondary_supply.temperature")],
      [setpoint, `${t("setpointShort")} `],
      [own("secondary_supply.pressure")],
    ]);
    this.tag(tags.secondaryFlow, t("flow"), [[own("secondary.flow")]]);
    const holding = (points, circuit) =>
      circuit.pressure_setpoint === null ? undefined : { value: circuit.pressure_setpoint, unit: "pascals", quality: "good" };
    this.tag(tags.secondaryReturn, t("secondaryReturn"), [
      [own("secondary_return.temperature")],
      [own("secondary_return.pressure")],
      [holding, `${t("setpointShort")} `],
    ]);
    if (this.circuit.make_up_pumps > 0) {
      this.tag(tags.tank, t("tank"), [[own("tank.level")]]);
      this.tag(tags.makeUp, t("makeUp"), [[own("make_up.flow")]]);
    }
  }

  update(view, circuit) {
    this.last = [view, circuit];
    for (const update of this.updates) update(view.points, circuit);
    setAttribute(this.picture, "data-circulating", circuit.circulating === true ? "yes" : "no");
    const supply = view.points[`${this.own}secondary_supply.temperature`];
    const wanted = quantity(circuit.setpoint.value, "celsius");
    setAttribute(this.picture, "aria-label", `${t("schematic")} ${this.name}: ${t("secondarySupply")} ${reading(supply).text}, ${t("setpoint")} ${wanted}, ${pick(circuit.stage)}`);
  }
}
