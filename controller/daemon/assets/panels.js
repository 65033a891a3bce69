// Alarms, outages, the accident rate, the journal, wires and store.

import { el, panel, redrawn, setAttribute, setText } from "./dom.js";
import { MISSING, bytes, duration, number, share } from "./format.js";
import { pick, t } from "./words.js";

/** The active alarms, most urgent first. */
export function alarmsPanel() {
  const host = el("div", {});
  const draw = redrawn(host, ({ alarms, clock }) => {
    if (alarms.length === 0) return el("p", { class: "calm" }, t("noAlarms"));
    const item = (alarm) =>
      el(
        "li",
        { "data-priority": alarm.priority },
        el("span", { class: "priority" }, alarm.priority),
        el(
          "div",
          {},
          el("strong", {}, pick(alarm.text)),
          el("span", { class: "where" }, ` ${pick(alarm.place)} · ${t("since", clock.moment(alarm.since))}${alarm.acknowledged ? ` · ${t("acknowledged")}` : ""}`),
          el("p", {}, pick(alarm.advice)),
        ),
      );
    return el("ul", { class: "alarm-list" }, alarms.map(item));
  });
  return {
    node: panel("alarms", t("alarms"), host),
    update(view, clock) {
      draw({ alarms: view.alarms, clock });
    },
  };
}

/** The operation accident rate against its target. */
export function accidentPanel() {
  const host = el("div", {});
  const draw = redrawn(host, (rate) => {
    if (rate === null) return el("p", { class: "small" }, t("noRate"));
    const level = { met: "good", not_met: "alarm" }[rate.status.name] ?? "plain";
    const per = (text) => (text === null ? MISSING : `${text}\u00a0‰`);
    const row = (key, value, small) => el("div", { class: "tile" }, el("span", {}, t(key)), el("strong", { class: small ? "" : "big" }, value));
    const target = rate.target_per_mille === null ? "" : t("rateTarget", rate.target_per_mille);
    return [
      el("div", { class: "tiles" }, row("wholeSeason", per(rate.season_per_mille)), row("toDate", per(rate.to_date_per_mille))),
      el("p", {}, el("span", { class: "chip", "data-level": level }, pick(rate.status)), ` ${target} (${rate.clause})`),
      el("div", { class: "tiles" }, row("counted", String(rate.outages_counted), true), row("unobserved", share(rate.unobserved_ratio, 2), true)),
    ];
  });
  return { node: panel("rate", t("accidentRate"), host), update: (view) => draw(view.accident_rate) };
}

/** The season's outages, newest first. */
export function outagesPanel() {
  const SHOWN = 8;
  const host = el("div", { class: "scroll", tabindex: 0, role: "group", "aria-label": t("outages") });
  const draw = redrawn(host, ({ list, total, clock }) => {
    if (list.length === 0) return el("p", { class: "calm" }, t("noOutages"));
    const row = (outage) => {
      const open = outage.ended === null;
      const cause = outage.cause.name === "unknown" ? `${pick(outage.cause)} (${t("suggested", pick(outage.suggested))})` : pick(outage.cause);
      return el(
        "tr",
        { "data-open": open ? "yes" : "no" },
        el("td", {}, clock.moment(outage.since)),
        el("td", {}, outage.circuit),
        el("td", { class: "number" }, duration(outage.lasted_seconds), open ? ` (${t("openNow")})` : ""),
        el("td", { class: "number" }, `${number(outage.area_square_meters, 0)}\u00a0m²`),
        el("td", {}, cause),
      );
    };
    const numbers = ["lasted", "area"];
    const heads = ["from", "circuit", ...numbers, "cause"].map((key) => el("th", { scope: "col", class: numbers.includes(key) ? "number" : null }, t(key)));
    const more = total > list.length ? el("p", { class: "small" }, t("moreOutages", total)) : null;
    return [el("table", { class: "list" }, el("thead", {}, el("tr", {}, heads)), el("tbody", {}, list.map(row))), more];
  });
  return {
    node: panel("outages", t("outages"), host),
    update(view, clock) {
      // An open outage changes by the second, but is read by the minute.
      const list = view.outages.slice(0, SHOWN).map((outage) => (outage.ended === null ? { ...outage, lasted_seconds: Math.floor(outage.lasted_seconds / 60) * 60 } : outage));
      draw({ list, total: view.outages_of_season, clock });
    },
  };
}

/** The latest records, read again when there are more. */
export function journalPanel() {
  const host = el("div", { class: "scroll", tabindex: 0, role: "group", "aria-label": t("journal") });
  let known = null;
  let busy = false;
  const draw = redrawn(host, ({ records, clock }) => {
    if (records === null) return el("p", { class: "small" }, t("journalFailed"));
    if (records.length === 0) return el("p", { class: "calm" }, t("noJournal"));
    const row = (record) =>
      el(
        "tr",
        {},
        el("td", { class: "number" }, String(record.sequence)),
        el("td", { class: "when" }, clock.moment(record.wall_milliseconds)),
        el("td", {}, pick(record.text)),
      );
    return el("table", { class: "list" }, el("tbody", {}, records.map(row)));
  });
  async function read(clock) {
    busy = true;
    try {
      const answer = await fetch("/api/v1/journal?limit=20");
      draw({ records: answer.ok ? (await answer.json()).records : null, clock });
    } catch {
      draw({ records: null, clock });
    } finally {
      busy = false;
    }
  }
  return {
    node: panel("journal", t("journal"), host),
    update(view, clock) {
      if (busy || known === view.store.records_total) return;
      known = view.store.records_total;
      read(clock);
    },
  };
}

/** What is not well of the devices of a wire: those that do not answer, and registers that they do not give. */
function devices(wire) {
  const notes = wire.devices.flatMap((device) => {
    const silent = device.breaker === "closed" ? [] : [t("deviceSilent", device.name)];
    if (device.refused.length === 0) return silent;
    const list = device.refused.map((one) => `${one.point} (${one.table} ${one.address}: ${one.reason})`).join("\n");
    return [...silent, el("span", { title: list }, t("deviceRefuses", device.name, device.refused.length))];
  });
  return notes.map((note) => el("div", { class: "small", "data-level": "alarm" }, note));
}

/** Wires, store and cycle. */
export function wiresPanel() {
  const host = el("div", { class: "scroll", tabindex: 0, role: "group", "aria-label": t("wires") });
  const store = el("dd", {});
  const cycle = el("dd", {});
  const draw = redrawn(host, (wires) => {
    if (wires.length === 0) return el("p", { class: "small" }, t("noWires"));
    const numbers = ["requests", "failures", "roundTrip"];
    const heads = ["wire", "state", ...numbers].map((key) => el("th", { scope: "col", class: numbers.includes(key) ? "number" : null }, t(key)));
    const row = (wire) => {
      const failures = Object.entries(wire.failures).filter(([, count]) => count > 0);
      const total = failures.reduce((sum, [, count]) => sum + count, 0);
      return el(
        "tr",
        {},
        el("th", { scope: "row" }, wire.name, devices(wire)),
        el("td", {}, el("span", { class: "chip", "data-level": wire.connected ? "good" : "alarm" }, t(wire.connected ? "up" : "down"))),
        el("td", { class: "number" }, number(wire.requests_total, 0)),
        el("td", { class: "number", title: failures.map(([cause, count]) => `${cause} ${count}`).join(", ") }, number(total, 0)),
        el("td", { class: "number" }, wire.round_trip_seconds === null ? MISSING : `${number(wire.round_trip_seconds * 1000, 0)}\u00a0ms`),
      );
    };
    return el("table", { class: "list" }, el("thead", {}, el("tr", {}, heads)), el("tbody", {}, wires.map(row)));
  });
  const node = panel("wires", t("wires"), host, el("dl", { class: "why" }, el("dt", {}, t("store")), store, el("dt", {}, t("cycle")), cycle));
  return {
    node,
    update(view) {
      draw(view.wires);
      const kept = view.store;
      const trouble = kept.stopped ? t("stopped") : (kept.trouble && pick(kept.trouble)) || kept.damage || kept.regressed || (kept.history_trouble && pick(kept.history_trouble));
      const notes = [
        trouble || t("storeWell", number(kept.records_total, 0)),
        kept.records_queued > 0 ? t("waitingRecords", kept.records_queued) : null,
        kept.records_lost_total > 0 ? t("storeLost", kept.records_lost_total) : null,
        kept.disk_free_bytes === null ? null : t("free", bytes(kept.disk_free_bytes)),
      ];
      setText(store, notes.filter(Boolean).join(" · "));
      setAttribute(store, "data-level", trouble || kept.records_lost_total > 0 ? "alarm" : "plain");
      const mean = view.cycle.mean_seconds === null ? MISSING : number(view.cycle.mean_seconds * 1000, 2);
      setText(cycle, t("cycleText", number(view.cycle.count, 0), mean, number(view.cycle.late_total, 0)));
    },
  };
}
