/** Numbers, times and sizes as people read them. Pure; the browser's language decides. */

// Each is made when it is first needed: they take milliseconds, and no page needs all.
const NUMBER = once(() => new Intl.NumberFormat(undefined, { maximumFractionDigits: 1 }));
const SMALL = once(() => new Intl.NumberFormat(undefined, { maximumSignificantDigits: 2 }));
const COMPACT = once(() => new Intl.NumberFormat(undefined, { notation: "compact", maximumFractionDigits: 1 }));
// By its parts: the styles "medium" of date and time know no zone.
const DATE = { year: "numeric", month: "short", day: "numeric" } as const;
const TIME = { hour: "numeric", minute: "2-digit", second: "2-digit", timeZoneName: "short" } as const;
const MOMENT = once(() => new Intl.DateTimeFormat(undefined, { ...DATE, ...TIME }));
const CLOCK = once(() => new Intl.DateTimeFormat(undefined, { timeStyle: "medium" }));
const RELATIVE = once(() => new Intl.RelativeTimeFormat(undefined, { numeric: "auto" }));
const UNITS: [Intl.RelativeTimeFormatUnit, number][] = [
  ["day", 86_400],
  ["hour", 3_600],
  ["minute", 60],
  ["second", 1],
];
export const NOTHING = "–";

export function number(value: number | null | undefined): string {
  if (value === null || value === undefined) return NOTHING;
  if (Math.abs(value) >= 100_000) return COMPACT().format(value);
  return Math.abs(value) < 1 ? SMALL().format(value) : NUMBER().format(value);
}

/** Requests a second. */
export function rate(value: number | null | undefined): string {
  return value === null || value === undefined ? NOTHING : `${number(value)}/s`;
}

/** A share of one. */
export function percent(share: number | null | undefined): string {
  return share === null || share === undefined ? NOTHING : `${number(share * 100)} %`;
}

export function ms(value: number | null | undefined): string {
  if (value === null || value === undefined) return NOTHING;
  if (value >= 60_000) return `${number(value / 60_000)} min`;
  return value >= 1000 ? `${number(value / 1000)} s` : `${number(value)} ms`;
}

export function seconds(value: number | null | undefined): string {
  return value === null || value === undefined ? NOTHING : ms(value * 1000);
}

export function bytes(value: number | null | undefined): string {
  if (value === null || value === undefined) return NOTHING;
  const steps = ["B", "KB", "MB", "GB", "TB"];
  let step = 0;
  let left = value;
  while (left >= 1000 && step < steps.length - 1) {
    left /= 1000;
    step += 1;
  }
  return `${number(left)} ${steps[step]}`;
}

export function moment(time: string | number | null | undefined): string {
  return time === null || time === undefined ? NOTHING : MOMENT().format(new Date(time));
}

export function clock(time: string | number): string {
  return CLOCK().format(new Date(time));
}

/** "5 minutes ago", "in 3 days". */
export function ago(time: string | null | undefined, now: number = Date.now()): string {
  if (!time) return NOTHING;
  const away = (new Date(time).getTime() - now) / 1000;
  const [unit, size] = UNITS.find(([, size]) => Math.abs(away) >= size) ?? ["second", 1];
  return RELATIVE().format(Math.trunc(away / size), unit);
}

/** "1 instance", "2 instances". */
export function many(count: number, one: string, more = `${one}s`): string {
  return `${number(count)} ${count === 1 ? one : more}`;
}

function once<T>(make: () => T): () => T {
  let made: T | undefined;
  return () => {
    made ??= make();
    return made;
  };
}
