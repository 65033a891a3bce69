// The page: follows the station's events, builds the parts once, and gives each new state to all of them.

import { Chart } from "./chart.js";
import { circuitCard } from "./circuit.js";
import { demoPanel } from "./demo.js";
import { el, setAttribute, setText } from "./dom.js";
import { Clock, MISSING, quantity } from "./format.js";
import { accidentPanel, alarmsPanel, journalPanel, outagesPanel, wiresPanel } from "./panels.js";
import { language, pick, switchLanguage, t } from "./words.js";

const STALE_AFTER = 5000;

let state = null;
let arrivedAt = 0;
let parts = null;
let shape = "";

/** What decides which parts there are; while it stays the same, parts are only updated. */
function shapeOf(view) {
  const circuits = view.circuits.map((c) => [c.name, c.circulation_pumps, c.make_up_pumps, c.buildings]);
  return JSON.stringify([language(), view.station.id, circuits]);
}

function header() {
  const name = el("h1", {}, "…");
  const badge = el("span", { class: "badge", role: "status" });
  const outdoor = el("span", { class: "outdoor" });
  const time = el("time", {});
  const link = el("span", { class: "link" });
  const button = el(
    "button",
    {
      type: "button",
      class: "quiet",
      title: t("languageTitle"),
      onclick: () => {
        switchLanguage();
        build();
      },
    },
    t("language"),
  );
  document.getElementById("header").replaceChildren(
    el("div", { class: "title" }, name, badge),
    el("div", { class: "facts" }, outdoor, time, link, button),
  );
  return {
    update(view, clock) {
      setText(name, view.station.name);
      document.title = `${view.station.name} · heatstation`;
      setText(badge, pick(view.overall));
      setAttribute(badge, "data-level", view.overall.name);
      const now = quantity(view.outdoor.now, "celsius");
      const odd = view.outdoor.doubt ?? (view.outdoor.source.name === "sensor" ? null : view.outdoor.source);
      const doubt = odd ? ` (${pick(odd)})` : "";
      setText(outdoor, `${t("outdoor")} ${now}${doubt}`);
      setAttribute(outdoor, "data-quality", doubt ? "uncertain" : "good");
      setAttribute(outdoor, "title", `${t("smoothed")} ${quantity(view.outdoor.filtered, "celsius")}`);
      setText(time, `${clock.date(view.moment.wall)} ${clock.time(view.moment.wall)}`);
    },
    connection(live) {
      // What was well a minute ago is not known to be well now.
      if (live === false) {
        setText(badge, t("unknown"));
        setAttribute(badge, "data-level", "plain");
      }
      setText(link, live === null ? t("connecting") : live ? t("connected") : t("lost"));
      setAttribute(link, "data-live", live === null ? "unknown" : live ? "yes" : "no");
    },
  };
}

function build() {
  document.documentElement.lang = language() === "zh" ? "zh-CN" : "en";
  setText(document.getElementById("skip"), t("skip"));
  const top = header();
  const main = document.getElementById("main");
  parts?.chart?.stop();
  parts?.demo?.stop();
  if (state === null) {
    main.replaceChildren(el("p", { class: "plain" }, t("waiting")));
    parts = { top, all: [] };
    watch();
    return;
  }
  shape = shapeOf(state);
  const circuits = state.circuits.map((circuit, index) => circuitCard(state, index));
  const alarms = alarmsPanel();
  const rate = accidentPanel();
  const outages = outagesPanel();
  const chart = new Chart(state.circuits.map((circuit) => circuit.name));
  const journal = journalPanel();
  const wires = wiresPanel();
  const demo = demoPanel();
  main.replaceChildren(
    demo.node,
    alarms.node,
    ...circuits.map((circuit) => circuit.node),
    el("div", { class: "pair" }, rate.node, outages.node),
    chart.node,
    el("div", { class: "pair" }, journal.node, wires.node),
  );
  const station = state.station;
  document.getElementById("footer").replaceChildren(
    el("p", {}, t("footer")),
    el("p", {}, `heatstation ${station.version} · ${station.id} · ${t("standard")} ${station.standard_title || station.standard} · ${t("configuration")} ${station.configuration.slice(0, 12)}`),
  );
  parts = { top, chart, demo, all: [...circuits, alarms, rate, outages, chart, journal, wires] };
  show();
}

function show() {
  const clock = new Clock(state.moment.utc_offset_minutes);
  parts.top.update(state, clock);
  for (const part of parts.all) part.update(state, clock);
  watch();
}

function take(view) {
  state = view;
  arrivedAt = performance.now();
  if (parts?.all.length && shape === shapeOf(view)) show();
  else build();
}

/** Says so when nothing new comes: an old picture must not pass for the present. */
function watch() {
  const stale = state !== null && performance.now() - arrivedAt > STALE_AFTER;
  const banner = document.getElementById("banner");
  parts?.top.connection(state === null ? null : !stale);
  document.body.classList.toggle("stale", stale);
  const clock = state && new Clock(state.moment.utc_offset_minutes);
  setText(banner, stale ? t("staleBanner", state ? clock.time(state.moment.wall) : MISSING) : "");
}

let source = null;

function listen() {
  source?.close();
  source = new EventSource("/api/v1/events");
  source.addEventListener("snapshot", (event) => take(JSON.parse(event.data)));
  source.addEventListener("error", () => {
    watch();
    // The browser comes back by itself, but not after an answer that was no stream (503 before the first cycle).
    if (source.readyState === EventSource.CLOSED) setTimeout(listen, 3000);
  });
}

build();
listen();
setInterval(watch, 1000);
