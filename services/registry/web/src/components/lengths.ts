/** For how long a token works, as somebody chooses it. Pure. */

const DAY_MS = 86_400_000;

export const FOR_EVER = { value: "", label: "for ever" };
export const LENGTHS = [
  { value: "30", label: "30 days" },
  { value: "90", label: "90 days" },
  { value: "365", label: "a year" },
];

/** When it ends; null: never. */
export function endOf(days: string, now: number = Date.now()): string | null {
  return days ? new Date(now + Number(days) * DAY_MS).toISOString() : null;
}
