/** For how long a service user works. Pure. */

const DAY_MS = 86_400_000;

export const UNCHANGED = "as before";
export const LENGTHS = [
  { value: "", label: "for ever" },
  { value: "30", label: "30 days" },
  { value: "90", label: "90 days" },
  { value: "365", label: "a year" },
];

/** When it ends; null: never. */
export function endOf(days: string, now: number = Date.now()): string | null {
  return days ? new Date(now + Number(days) * DAY_MS).toISOString() : null;
}
