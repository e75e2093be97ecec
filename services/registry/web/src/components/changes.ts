/** What differs between two states of a thing, and what to send for it. Pure. */

export interface Difference {
  field: string;
  before: unknown;
  after: unknown;
}

export function differences(before: object, after: object): Difference[] {
  return Object.entries(after)
    .filter(([field, value]) => !same(value, (before as Record<string, unknown>)[field]))
    .map(([field, value]) => ({ field, before: (before as Record<string, unknown>)[field], after: value }));
}

/** Of these fields, what differs within them: `jwt.issuer`. What came or went stays whole. */
export function unfolded(found: Difference[], fields: readonly string[]): Difference[] {
  return found.flatMap((difference) => {
    const { field, before, after } = difference;
    if (!fields.includes(field) || !isObject(before) || !isObject(after)) return [difference];
    return differences(before, { ...emptied(before), ...after }).map((each) => ({
      ...each,
      field: `${field}.${each.field}`,
    }));
  });
}

function isObject(value: unknown): value is object {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function emptied(of: object): object {
  return Object.fromEntries(Object.keys(of).map((name) => [name, undefined]));
}

/** The fields that changed, as a PATCH takes them. */
export function patch<T extends object>(before: object, after: T): Partial<T> {
  return Object.fromEntries(differences(before, after).map(({ field, after }) => [field, after])) as Partial<T>;
}

export function same(one: unknown, other: unknown): boolean {
  return JSON.stringify(canonical(one)) === JSON.stringify(canonical(other));
}

/** The same for objects whose keys stand in another order; absent and null mean the same to the API. */
function canonical(value: unknown): unknown {
  if (value === undefined) return null;
  if (Array.isArray(value)) return value.map(canonical);
  if (value === null || typeof value !== "object") return value;
  return Object.fromEntries(
    Object.entries(value)
      .sort(([one], [other]) => (one < other ? -1 : 1))
      .map(([name, each]) => [name, canonical(each)]),
  );
}

/** A value in a table of differences. */
export function inWords(value: unknown): string {
  if (value === null || value === undefined || value === "") return "not set";
  if (typeof value === "boolean") return value ? "on" : "off";
  if (Array.isArray(value)) {
    const words = value.map((each) => (isObject(each) ? `(${inWords(each)})` : inWords(each)));
    return words.length ? words.join(", ") : "none";
  }
  if (typeof value === "object") {
    const parts = Object.entries(value).map(([name, each]) => `${name}: ${inWords(each)}`);
    return parts.length ? parts.join(", ") : "none";
  }
  const certificates = String(value).match(/-----BEGIN CERTIFICATE-----/g)?.length;
  return certificates ? pem(String(value), certificates) : String(value);
}

/** Certificates by their number and how the last one ends, which differs where they do. */
function pem(text: string, count: number): string {
  const end = text
    .replace(/-----END CERTIFICATE-----\s*$/, "")
    .replace(/\s/g, "")
    .slice(-12);
  return `${count === 1 ? "a certificate" : `${count} certificates`} in PEM, the last ending with ${end}`;
}
