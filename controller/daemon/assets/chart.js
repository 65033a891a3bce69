// The last 24 hours of a circuit: supply and its setpoint, return, outdoor. Gaps are gaps.

import { el, panel, setAttribute, setText, svg } from "./dom.js";
import { MISSING, quantity } from "./format.js";
import { t } from "./words.js";

const DAY = 86_400_000;
const HOUR = 3_600_000;
const READ_EVERY = 30_000;
const BUCKETS = 480;
const HEIGHT = 300;
const EDGE = { left: 46, right: 12, top: 12, bottom: 28 };

const LINES = [
  ["supply", (name) => `circuit.${name}.secondary_supply.temperature`],
  ["setpointShort", (name) => `circuit.${name}.secondary_supply.temperature_setpoint`],
  ["return", (name) => `circuit.${name}.secondary_return.temperature`],
  ["outdoor", () => "outdoor.temperature"],
];

export class Chart {
  constructor(circuits) {
    this.circuits = circuits;
    this.chosen = circuits[0];
    this.series = null;
    this.readAt = 0;
    this.readWall = 0;
    this.cursor = null;
    this.tabs = el("div", { class: "tabs", role: "group", "aria-label": t("circuit") });
    this.legend = el("div", { class: "legend" });
    this.readout = LINES.map(([key]) => {
      const value = el("strong", {}, MISSING);
      const sample = svg("svg", { viewBox: "0 0 26 10", "aria-hidden": "true" }, svg("path", { d: "M1 5H25", class: `line ${key}` }));
      this.legend.append(el("span", { class: "key" }, sample, `${t(key)} `, value));
      return value;
    });
    this.when = el("span", { class: "when" });
    this.legend.append(this.when);
    this.picture = svg("svg", { class: "plot", tabindex: 0, role: "img", "aria-label": `${t("trend")}. ${t("trendHelp")}` });
    this.note = el("p", { class: "small" }, t("noHistory"));
    this.node = panel("trend", t("trend"), this.tabs, this.legend, el("div", { class: "plot-host" }, this.picture), this.note);
    this.drawTabs();
    this.picture.addEventListener("pointermove", (event) => this.point(event));
    this.picture.addEventListener("pointerleave", () => this.moveTo(null));
    this.picture.addEventListener("keydown", (event) => this.key(event));
    this.observer = new ResizeObserver(() => this.draw());
    this.observer.observe(this.picture);
  }

  stop() {
    this.observer.disconnect();
  }

  drawTabs() {
    this.tabs.hidden = this.circuits.length < 2;
    const button = (name) =>
      el(
        "button",
        {
          type: "button",
          "aria-pressed": name === this.chosen ? "true" : "false",
          onclick: () => {
            this.chosen = name;
            this.drawTabs();
            this.read();
          },
        },
        name,
      );
    this.tabs.replaceChildren(...this.circuits.map(button));
  }

  update(view, clock) {
    this.clock = clock;
    this.wall = view.moment.wall;
    const late = performance.now() - this.readAt > READ_EVERY;
    // A demonstration may run many times faster than the clock on the wall.
    const moved = this.wall - this.readWall > DAY / 100 && performance.now() - this.readAt > 2000;
    if (this.readAt === 0 || late || moved) this.read();
  }

  async read() {
    const [wall, circuit] = [this.wall, this.chosen];
    this.readAt = performance.now();
    this.readWall = wall;
    const points = LINES.map(([, point]) => point(circuit)).join(",");
    try {
      const answer = await fetch(`/api/v1/history?points=${encodeURIComponent(points)}&from=${wall - DAY}&to=${wall + 1}&buckets=${BUCKETS}`);
      if (!answer.ok) throw new Error((await answer.json()).detail);
      if (circuit !== this.chosen) return;
      const history = await answer.json();
      this.series = history.series.map((series) => series.buckets);
      this.range = [history.from, history.to];
      this.gap = gapOf(this.series, history.bucket_milliseconds);
      const empty = this.series.every((buckets) => buckets.length === 0);
      setText(this.note, empty ? t("noHistory") : "");
    } catch (error) {
      setText(this.note, `${t("historyFailed")}: ${error.message}`);
    }
    this.draw();
  }

  draw() {
    const width = this.picture.clientWidth;
    if (!this.series || width < 50) return;
    const [from, to] = this.range;
    const values = this.series.flatMap((buckets) => buckets.flatMap(([, low, , high]) => [low, high]));
    const [low, high] = values.length ? [Math.min(...values), Math.max(...values)] : [0, 60];
    const step = [1, 2, 5, 10, 20, 50].find((each) => (high - low + 2) / each <= 7) ?? 50;
    const bottom = Math.floor((low - 1) / step) * step;
    const top = Math.ceil((high + 1) / step) * step;
    this.x = (time) => EDGE.left + ((time - from) / (to - from)) * (width - EDGE.left - EDGE.right);
    this.y = (celsius) => HEIGHT - EDGE.bottom - ((celsius - bottom) / (top - bottom)) * (HEIGHT - EDGE.top - EDGE.bottom);
    setAttribute(this.picture, "viewBox", `0 0 ${width} ${HEIGHT}`);
    const parts = [];
    for (let celsius = bottom; celsius <= top; celsius += step) {
      const y = this.y(celsius).toFixed(1);
      parts.push(
        svg("path", { d: `M${EDGE.left} ${y}H${width - EDGE.right}`, class: celsius === 0 ? "grid zero" : "grid" }),
        svg("text", { x: EDGE.left - 6, y: Number(y) + 4, "text-anchor": "end", class: "axis" }, String(celsius).replace("-", "\u2212")),
      );
    }
    parts.push(svg("text", { x: 4, y: EDGE.top + 4, class: "axis" }, "°C"));
    const hours = width < 500 ? 6 : 3;
    const first = Math.ceil((from + this.clock.offset) / (hours * HOUR)) * hours * HOUR - this.clock.offset;
    for (let time = first; time <= to; time += hours * HOUR) {
      const x = this.x(time).toFixed(1);
      parts.push(
        svg("path", { d: `M${x} ${EDGE.top}V${HEIGHT - EDGE.bottom}`, class: "grid" }),
        svg("text", { x, y: HEIGHT - 8, "text-anchor": width - x < 26 ? "end" : "middle", class: "axis" }, this.clock.minute(time)),
      );
    }
    this.series.forEach((buckets, index) => {
      for (const stretch of stretches(buckets, this.gap)) parts.push(...this.drawStretch(stretch, LINES[index][0]));
    });
    this.hair = svg("path", { class: "hair" });
    this.dots = LINES.map(([key]) => svg("circle", { r: 3.5, class: `dot ${key}`, visibility: "hidden" }));
    this.picture.replaceChildren(...parts, this.hair, ...this.dots);
    this.moveTo(this.cursor);
  }

  drawStretch(buckets, key) {
    const at = ([time, , value]) => `${this.x(time).toFixed(1)} ${this.y(value).toFixed(1)}`;
    if (buckets.length === 1) {
      const [x, y] = at(buckets[0]).split(" ");
      return [svg("circle", { cx: x, cy: y, r: 1.5, class: `dot ${key}` })];
    }
    return [svg("path", { d: `M${buckets.map(at).join("L")}`, class: `line ${key}` })];
  }

  point(event) {
    if (!this.series) return;
    const box = this.picture.getBoundingClientRect();
    const [from, to] = this.range;
    const width = box.width - EDGE.left - EDGE.right;
    const part = Math.min(1, Math.max(0, (event.clientX - box.left - EDGE.left) / width));
    this.moveTo(from + part * (to - from));
  }

  key(event) {
    const steps = { ArrowLeft: -1, ArrowRight: 1, PageUp: -12, PageDown: 12 };
    if (!this.series || !(event.key in steps || event.key === "Home" || event.key === "End" || event.key === "Escape")) return;
    event.preventDefault();
    const [from, to] = this.range;
    if (event.key === "Escape") return this.moveTo(null);
    if (event.key === "Home") return this.moveTo(from);
    if (event.key === "End") return this.moveTo(to);
    const next = (this.cursor ?? to) + steps[event.key] * (DAY / 288);
    return this.moveTo(Math.min(to, Math.max(from, next)));
  }

  /** Puts the cursor at a time; without one the legend shows the latest values. */
  moveTo(time) {
    this.cursor = time;
    if (!this.series || !this.hair) return;
    const at = time ?? this.range[1];
    setAttribute(this.hair, "d", time === null ? "" : `M${this.x(time).toFixed(1)} ${EDGE.top}V${HEIGHT - EDGE.bottom}`);
    setText(this.when, time === null ? "" : this.clock.moment(time));
    this.series.forEach((buckets, index) => {
      const found = nearest(buckets, at, this.gap);
      setText(this.readout[index], found ? quantity(found[2], "celsius") : MISSING);
      setAttribute(this.dots[index], "visibility", found && time !== null ? null : "hidden");
      if (found) {
        setAttribute(this.dots[index], "cx", this.x(found[0]).toFixed(1));
        setAttribute(this.dots[index], "cy", this.y(found[2]).toFixed(1));
      }
    });
  }
}

/** From which distance on two values do not belong together: what lies between was not known. */
function gapOf(series, width) {
  if (width) return width * 2.5;
  const distances = series.flatMap((buckets) => buckets.slice(1).map((bucket, index) => bucket[0] - buckets[index][0]));
  if (distances.length === 0) return HOUR;
  distances.sort((a, b) => a - b);
  return Math.max(1000, distances[Math.floor(distances.length / 2)] * 2.5);
}

/** Parts a series where values are missing. */
function stretches(buckets, gap) {
  const parts = [];
  for (const bucket of buckets) {
    const last = parts.at(-1);
    if (last && bucket[0] - last.at(-1)[0] <= gap) last.push(bucket);
    else parts.push([bucket]);
  }
  return parts;
}

/** The bucket nearest to a time, unless that time lies in a gap. */
function nearest(buckets, time, gap) {
  let best = null;
  for (const bucket of buckets) {
    if (best === null || Math.abs(bucket[0] - time) < Math.abs(best[0] - time)) best = bucket;
  }
  return best && Math.abs(best[0] - time) <= gap ? best : null;
}
