/** The stretch of time that charts show: the last so many minutes, or one that somebody zoomed in to. Pure. */

export interface Span {
  fromS: number;
  toS: number;
}

export interface Recent {
  value: string;
  label: string;
  lengthS: number;
}

export const RECENT: Recent[] = [
  { value: "15m", label: "15 min", lengthS: 15 * 60 },
  { value: "1h", label: "1 h", lengthS: 3_600 },
  { value: "6h", label: "6 h", lengthS: 6 * 3_600 },
  { value: "24h", label: "24 h", lengthS: 86_400 },
  { value: "7d", label: "7 d", lengthS: 7 * 86_400 },
  { value: "30d", label: "30 d", lengthS: 30 * 86_400 },
];
const SHORTEST_S = 60;

export function recent(value: string): Recent {
  return RECENT.find((each) => each.value === value) ?? (RECENT[0] as Recent);
}

/** The last so many minutes, whose end moves in steps: so that the same question is asked for a while. */
export function until(now: number, { lengthS }: Recent): Span {
  const stepS = Math.max(10, Math.round(lengthS / 180));
  const toS = Math.ceil(now / 1000 / stepS) * stepS;
  return { fromS: toS - lengthS, toS };
}

/** A stretch that somebody dragged over, at least a minute long. */
export function zoomed(fromS: number, toS: number): Span {
  const middle = (fromS + toS) / 2;
  const half = Math.max(toS - fromS, SHORTEST_S) / 2;
  return { fromS: Math.floor(middle - half), toS: Math.ceil(middle + half) };
}
