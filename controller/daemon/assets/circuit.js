// One circuit: its schematic, what makes its setpoint, why it does what it does, its rooms.

import { el, redrawn, setAttribute, setText, svg } from "./dom.js";
import { MISSING, difference, duration, number, quantity, share } from "./format.js";
import { Schematic } from "./schematic.js";
import { pick, t } from "./words.js";

/** A card for the circuit at that place of the view. */
export function circuitCard(view, index) {
  const name = view.circuits[index].name;
  const heading = el("h2", { id: `circuit-${index}` }, `${t("circuit")} ${name}`);
  const stage = el("span", { class: "chip" });
  const mode = el("span", { class: "chip" });
  const hand = el("span", { class: "chip", "data-level": "attention" });
  const trips = el("div", { class: "trips" });
  const drawTrips = redrawn(trips, (list) =>
    list.length ? [el("strong", {}, `${t("interlocks")}: `), list.map(pick).join(", ")] : [],
  );
  const schematic = new Schematic(name, view);
  const why = whyList();
  const ledger = ledgerPart();
  const rooms = roomsPart();
  const node = el(
    "section",
    { class: "panel circuit", "aria-labelledby": `circuit-${index}` },
    el("div", { class: "circuit-head" }, heading, stage, mode, hand),
    trips,
    el(
      "div",
      { class: "circuit-body" },
      schematic.node,
      el("div", { class: "circuit-side" }, why.node, ledger.node, rooms.node),
    ),
  );
  return {
    node,
    update(now) {
      const circuit = now.circuits[index];
      // Why it rests is worth more than that it rests.
      setText(stage, pick(circuit.eco.name === "paused" ? circuit.eco : circuit.stage));
      setAttribute(stage, "data-level", circuit.stage.name === "heating" ? "good" : "plain");
      setText(mode, pick(circuit.mode));
      const left = circuit.in_hand_seconds;
      hand.hidden = left === null;
      setText(hand, left === null ? "" : t("inHand", duration(left)));
      drawTrips(circuit.trips);
      schematic.update(now, circuit);
      why.update(circuit);
      ledger.update(circuit);
      rooms.update(circuit);
    },
  };
}

function whyList() {
  const rows = {};
  const list = el("dl", { class: "why" });
  const terms = {};
  const keys = [
    "operationIs", "valveIs", "loopIs", "pumpsAre", "speedFrom", "circulation", "supplyFrom", "makeUpIs", "loses",
    "heldBySomebody", "doubted", "freezesIn",
  ];
  for (const key of keys) {
    rows[key] = el("dd", {});
    terms[key] = el("dt", {}, t(key));
    list.append(terms[key], rows[key]);
  }
  const say = (row, text, level) => {
    setText(row, text);
    setAttribute(row, "data-level", level);
  };
  // What is as it should be is not worth a line.
  const sayIfAny = (key, text, level) => {
    terms[key].hidden = rows[key].hidden = !text;
    say(rows[key], text, level);
  };
  const fine = ["normal", "warming_up", "starting", "no_demand", "lying_by", "shutting_down", "exercise", "reduced", "recovering"];
  const calm = ["control", "no_demand", "heating", "starting", "filling", "post_run", "shutting_down"];
  return {
    node: list,
    update(circuit) {
      const level = (word) => (word.name === "interlock" || word.name === "none_available" ? "alarm" : calm.includes(word.name) ? "plain" : "attention");
      const operation = circuit.operation;
      say(rows.operationIs, `${pick(operation)} (${circuit.operation_code})`, fine.includes(operation.name) ? "plain" : "attention");
      const who = (held) =>
        [pick(held.device), pick(held.authority), held.author, held.left_seconds === null ? null : duration(held.left_seconds)]
          .filter((part) => part !== null)
          .join(" · ");
      sayIfAny("heldBySomebody", circuit.held.map(who).join("; "), "attention");
      const doubt = (one) => `${pick(one.sensor)}: ${pick(one.finding)}`;
      sayIfAny("doubted", circuit.doubted.map(doubt).join("; "), "attention");
      const freezes = circuit.freezes_in_seconds;
      sayIfAny("freezesIn", freezes === null ? "" : duration(freezes), "alarm");
      say(rows.valveIs, pick(circuit.valve_reason), level(circuit.valve_reason));
      const valve = circuit.valve;
      const travel = `${valve.strokes_per_day.toFixed(1)} ${t("strokesADay")}, ${Math.round(valve.reversals_per_hour)} ${t("reversalsAnHour")}`;
      const play = valve.play === null ? "" : `, ${t("play")} ${(valve.play * 100).toFixed(1)} %`;
      const tuned = valve.tuning.name === "idle" ? (valve.tuning_proposed ? `, ${t("tuningProposed")}` : "") : `, ${t("tuning")}: ${pick(valve.tuning)}`;
      say(rows.loopIs, `${pick(valve.care)}, ${travel}${play}${tuned}`, valve.care.name === "sound" ? "plain" : "attention");
      say(rows.pumpsAre, pick(circuit.pump_reason), level(circuit.pump_reason));
      const speed = circuit.circulation.speed_reason;
      const substitute = ["hold_sensor_lost", "estimate", "fallback", "worst_point_lost", "staged_flow_objected"];
      say(rows.speedFrom, pick(speed), substitute.includes(speed.name) ? "attention" : "plain");
      const proven = circuit.circulating;
      const word = proven === null ? "unknown" : proven ? "proven" : "notProven";
      say(rows.circulation, t(word), proven === true ? "plain" : "attention");
      const makeUp = circuit.make_up;
      const bars = ["rest", "making_up", "lifting"];
      say(rows.makeUpIs, makeUp ? pick(makeUp.reason) : MISSING, !makeUp || bars.includes(makeUp.reason.name) ? "plain" : "attention");
      const leak = circuit.leak;
      const told = leak && leak.rate !== null;
      const litres = (flow) => Math.round(flow * 3.6e6);
      const loses = told ? `${litres(leak.rate)} ± ${litres(leak.error)} L/h, ${(leak.per_day * 100).toFixed(1)} %/d` : MISSING;
      say(rows.loses, leak && leak.burst ? t("burst") : loses, leak && (leak.burst || leak.signs.length > 0) ? "attention" : "plain");
      const source = circuit.supply_source;
      say(rows.supplyFrom, pick(source), source.name === "sensor" ? "plain" : source.name === "lost" ? "alarm" : "attention");
    },
  };
}

/** Parts smaller than this are not drawn: a page of zeros explains nothing. */
const WORTH_SHOWING = 0.05;

/** A limit in words: what is measured against it, and what it does. */
function limitLine(limit) {
  const [measured, bound] = [quantity(limit.measured, limit.unit), quantity(limit.limit, limit.unit)];
  const lasts = limit.limiting_seconds > 0 ? `, ${difference(limit.asks_kelvins)}, ${duration(limit.limiting_seconds)}` : "";
  return `${pick(limit)}: ${measured} / ${bound}, ${pick(limit.state)}${lasts}`;
}

/** A correction of the curve in words. */
function correctionLine(who, correction) {
  const until = correction.left_seconds === null ? t("noEnd") : duration(correction.left_seconds);
  const slope = `×${number(correction.slope, 2)}`;
  return `${t(who)}: ${t("correction", difference(correction.level_kelvins), slope, difference(correction.room_kelvins))}, ${until}`;
}

/** The hours in lines: what room temperature is aimed at and why, what is shed, what people correct. */
function hourLines(hours) {
  const lines = [`${t("aimsAt", quantity(hours.room_target, "celsius"))}: ${pick(hours.programme)}, ${pick(hours.phase)}`];
  if (hours.withheld) lines.push(pick(hours.withheld));
  if (hours.ahead.name !== "no") lines.push(pick(hours.ahead));
  if (hours.next) {
    const lead = hours.start_lead_seconds === null ? "" : `, ${t("startsAhead", duration(hours.start_lead_seconds))}`;
    lines.push(`${t("nextLevel", quantity(hours.next.room_target, "celsius"), duration(hours.next.after_seconds))}${lead}`);
  }
  const shed = hours.load_shed;
  const amount = shed.share !== null ? share(shed.share, 0) : shed.supply_kelvins !== null ? difference(shed.supply_kelvins) : null;
  if (amount !== null) lines.push(t("sheds", amount, duration(shed.left_seconds)));
  else if (shed.last_end) lines.push(t("shedEnded", pick(shed.last_end)));
  if (hours.operator) lines.push(correctionLine("byOperator", hours.operator));
  if (hours.remote) lines.push(correctionLine("byRemote", hours.remote));
  return lines;
}

/** The ledger as a waterfall: each bar begins where the one above ended. Rows follow the parts that the station sends. */
function ledgerPart() {
  const value = el("strong", { class: "big" }, MISSING);
  const held = el("p", { class: "held" });
  const body = el("tbody", {});
  const rows = {};
  const row = (key, title) => {
    const bar = svg("rect", { y: 3, height: 12, rx: 1.5, class: `bar ${key}` });
    const picture = svg("svg", { viewBox: "0 0 200 18", preserveAspectRatio: "none", "aria-hidden": "true" }, bar);
    const text = el("td", { class: "number" });
    const node = el("tr", { class: key }, el("th", { scope: "row" }, title), el("td", { class: "bars" }, picture), text);
    rows[key] = { bar, text, node };
    return node;
  };
  body.append(row("base", t("base")), row("result", t("result")));
  const hours = el("ul", { class: "small limits" });
  const drawHours = redrawn(hours, (lines) => lines.map((line) => el("li", {}, line)));
  const limits = el("ul", { class: "small limits" });
  const drawLimits = redrawn(limits, (lines) => lines.map((line) => el("li", {}, line)));
  const node = el(
    "div",
    { class: "ledger" },
    el("h3", {}, t("whatHolds")),
    el("p", { class: "setpoint" }, `${t("setpoint")} `, value),
    el("table", { title: t("ledgerHelp") }, body),
    held,
    hours,
    limits,
  );
  return {
    node,
    update(circuit) {
      const ledger = circuit.setpoint;
      const steps = [["base", 0, ledger.base]];
      let level = ledger.base;
      for (const part of ledger.parts) {
        if (!rows[part.name]) rows.result.node.before(row(part.name, pick(part)));
        rows[part.name].node.hidden = Math.abs(part.kelvins) < WORTH_SHOWING;
        steps.push([part.name, level, level + part.kelvins]);
        level += part.kelvins;
      }
      // The curve's bar begins at 20 °C, where heating begins; the rest is drawn on the same scale.
      steps[0][1] = Math.min(20, ledger.base);
      const all = [...steps.flatMap(([, a, b]) => [a, b]), ledger.value];
      const low = Math.min(...all);
      const span = Math.max(10, Math.max(...all) - low);
      const x = (celsius) => ((celsius - low) / span) * 196 + 2;
      const place = ({ bar }, from, to) => {
        setAttribute(bar, "x", Math.min(x(from), x(to)).toFixed(1));
        setAttribute(bar, "width", Math.max(1, Math.abs(x(to) - x(from))).toFixed(1));
      };
      for (const [key, from, to] of steps) {
        place(rows[key], from, to);
        setAttribute(rows[key].bar, "data-sign", to < from ? "minus" : "plus");
        setText(rows[key].text, key === "base" ? quantity(ledger.base, "celsius") : difference(to - from));
      }
      place(rows.result, steps[0][1], ledger.value);
      setText(rows.result.text, quantity(ledger.value, "celsius"));
      setText(value, quantity(ledger.value, "celsius"));
      setText(held, ledger.held_by ? t("heldBy", pick(ledger.held_by)) : t("heldByNobody"));
      setAttribute(held, "data-level", ledger.held_by ? "attention" : "plain");
      drawHours(hourLines(circuit.hours));
      drawLimits(ledger.limits.map(limitLine));
    },
  };
}

// More than these are a matter for the list of points.
const MOST_DOUBTED = 6;

function balanceLine(balance) {
  const spread = `${number(balance.spread)}\u00a0K`;
  const parts = [`${t("balance")}: ${t("balanceLine", spread, share(balance.most_open, 0))}`];
  if (balance.standing) parts.push(pick(balance.standing));
  if (balance.astray > 0) parts.push(t("astray", balance.astray));
  return parts.join(" · ");
}

function roomsPart() {
  const figures = {};
  const tile = (key) => {
    figures[key] = el("strong", {}, MISSING);
    return el("div", { class: "tile" }, el("span", {}, t(key)), figures[key]);
  };
  const label = el("span", {});
  const passing = el("strong", {}, MISSING);
  const meter = svg("rect", { x: 0, y: 0, height: 8, width: 0, class: "pass" });
  const mark = svg("rect", { y: 0, height: 8, width: 1.5, class: "mark" });
  const bar = svg(
    "svg",
    { viewBox: "0 0 200 8", preserveAspectRatio: "none", "aria-hidden": "true" },
    svg("rect", { x: 0, y: 0, width: 200, height: 8, class: "track" }),
    meter,
    mark,
  );
  const fresh = el("p", { class: "small" });
  const trim = el("p", { class: "small" });
  const doubted = el("ul", { class: "small limits" });
  const drawDoubted = redrawn(doubted, (lines) => lines.map((line) => el("li", {}, line)));
  const balance = el("p", { class: "small" });
  const body = el(
    "div",
    {},
    el("div", { class: "tiles" }, tile("mean"), tile("median"), tile("coldest")),
    el("div", { class: "passing" }, label, passing, bar),
    fresh,
    trim,
    doubted,
  );
  const none = el("p", { class: "small" }, t("noRooms"));
  const node = el("div", { class: "rooms" }, el("h3", {}, t("rooms")), body, none, balance);
  return {
    node,
    update(circuit) {
      const rooms = circuit.rooms;
      body.hidden = rooms.configured === 0;
      none.hidden = rooms.configured !== 0;
      for (const key of ["mean", "median", "coldest"]) setText(figures[key], quantity(rooms[key], "celsius"));
      setText(label, t("passing", quantity(rooms.minimum, "celsius", 0)));
      setText(passing, share(rooms.passing));
      setAttribute(meter, "width", (200 * (rooms.passing ?? 0)).toFixed(1));
      const target = rooms.pass_target;
      setAttribute(mark, "x", target === null ? -10 : (200 * target - 1).toFixed(1));
      setAttribute(passing, "data-level", target !== null && rooms.passing !== null && rooms.passing < target ? "attention" : "plain");
      const goal = target === null ? "" : ` · ${t("target", share(target, 0))}`;
      setText(fresh, `${t("fresh")}: ${t("of", rooms.counted, rooms.configured)}${goal}`);
      const frozen = rooms.trim.frozen ? `: ${pick(rooms.trim.frozen)}` : "";
      setText(trim, `${t("trim", difference(rooms.trim.kelvins))}${frozen}`);
      const named = Object.entries(rooms.sensors).filter(([, verdict]) => verdict.name !== "counted");
      doubted.title = t("doubtedRooms");
      drawDoubted(named.slice(0, MOST_DOUBTED).map(([name, verdict]) => `${name}: ${pick(verdict)}`));
      setText(balance, circuit.balance ? balanceLine(circuit.balance) : "");
    },
  };
}
