// Numbers, times and durations as an operator reads them. What is not known is a dash, never a number.

import { language, t } from "./words.js";

export const MISSING = "—";

// Unit name of the API: shown unit, factor, decimals.
const UNITS = {
  celsius: ["°C", 1, 1],
  kelvins: ["K", 1, 1],
  pascals: ["kPa", 1e-3, 0],
  cubic_meters_per_second: ["m³/h", 3600, 1],
  watts: ["kW", 1e-3, 0],
  joules: ["GJ", 1e-9, 1],
  cubic_meters: ["m³", 1, 1],
  ratio: ["%", 100, 0],
  hertz: ["Hz", 1, 1],
  amperes: ["A", 1, 1],
  volts: ["V", 1, 0],
  meters: ["m", 1, 2],
  meters_per_second: ["m/s", 1, 1],
  watts_per_square_meter: ["W/m²", 1, 0],
  seconds: ["s", 1, 0],
};

/** A number with its decimals; thousands are parted by a thin space, minus is a minus. */
export function number(value, decimals = 1) {
  if (value === null || value === undefined || !Number.isFinite(value)) return MISSING;
  const fixed = Math.abs(value).toFixed(decimals);
  const [whole, part] = fixed.split(".");
  const grouped = whole.length > 4 ? whole.replace(/\B(?=(\d{3})+$)/g, "\u2009") : whole;
  const sign = value < 0 && Number(fixed) !== 0 ? "\u2212" : "";
  return sign + grouped + (part === undefined ? "" : `.${part}`);
}

/** A value of a unit, as in "58.3 °C". */
export function quantity(value, unit, decimals) {
  const [shown, factor, usual] = UNITS[unit] ?? ["", 1, 0];
  if (value === null || value === undefined) return MISSING;
  return `${number(value * factor, decimals ?? usual)}\u00a0${shown}`.trim();
}

/** A difference with its sign, as in "+0.7 K". */
export function difference(kelvins) {
  if (kelvins === null || kelvins === undefined) return MISSING;
  const text = number(kelvins, 1);
  const sign = kelvins > 0 && Number(kelvins.toFixed(1)) !== 0 ? "+" : "";
  return `${sign}${text}\u00a0K`;
}

/** A share with the given decimals, as in "98.2 %". */
export function share(ratio, decimals = 1) {
  return ratio === null || ratio === undefined ? MISSING : `${number(ratio * 100, decimals)}\u00a0%`;
}

const two = (value) => String(value).padStart(2, "0");

/** The station's wall clock: its offset comes with each snapshot, so the reader's own time zone does not matter. */
export class Clock {
  constructor(offsetMinutes) {
    this.offset = offsetMinutes * 60_000;
  }

  parts(milliseconds) {
    return new Date(milliseconds + this.offset);
  }

  time(milliseconds) {
    const at = this.parts(milliseconds);
    return `${two(at.getUTCHours())}:${two(at.getUTCMinutes())}:${two(at.getUTCSeconds())}`;
  }

  minute(milliseconds) {
    return this.time(milliseconds).slice(0, 5);
  }

  date(milliseconds) {
    const at = this.parts(milliseconds);
    return `${at.getUTCFullYear()}-${two(at.getUTCMonth() + 1)}-${two(at.getUTCDate())}`;
  }

  moment(milliseconds) {
    const at = this.parts(milliseconds);
    return `${two(at.getUTCMonth() + 1)}-${two(at.getUTCDate())} ${this.time(milliseconds)}`;
  }
}

/** A length of time in two units at most, as in "3 h 20 min". */
export function duration(seconds) {
  if (seconds === null || seconds === undefined) return MISSING;
  const whole = Math.max(0, Math.floor(seconds));
  const units = language() === "zh" ? [" 天", " 小时", " 分", " 秒"] : [" d", " h", " min", " s"];
  const parts = [Math.floor(whole / 86_400), Math.floor(whole / 3600) % 24, Math.floor(whole / 60) % 60, whole % 60];
  const first = parts.findIndex((part) => part > 0);
  if (first < 0) return `0${units[3]}`;
  return parts.slice(first, first + 2).map((part, index) => `${part}${units[first + index]}`).join(" ");
}

/** A size in bytes. */
export function bytes(value) {
  if (value === null || value === undefined) return MISSING;
  if (value >= 1e9) return `${number(value / 1e9, 1)}\u00a0GB`;
  return value >= 1e6 ? `${number(value / 1e6, 1)}\u00a0MB` : `${number(value / 1e3, 0)}\u00a0kB`;
}

/** What is to be shown of a point: its text, its quality and why. */
export function reading(point) {
  if (!point) return { text: MISSING, quality: "absent", reason: "" };
  const reason = point.reason ? point.reason[language()] : "";
  if (point.value === null || point.value === undefined) {
    const last = point.last === undefined ? "" : ` (${t("lastValue")} ${quantity(point.last, point.unit)})`;
    return { text: MISSING, quality: point.quality, reason: reason + last, short: reason };
  }
  return { text: quantity(point.value, point.unit), quality: point.quality, reason, short: reason };
}
