/** What requests are looked for: kept in the address, so that a search can be sent to somebody. Pure. */

export interface Filter {
  status: string;
  method: string;
  path: string;
  code: string;
  instance: string;
  body: string;
  slower_than_ms: string;
}

export const EMPTY: Filter = { status: "", method: "", path: "", code: "", instance: "", body: "", slower_than_ms: "" };
const NAMES = Object.keys(EMPTY) as (keyof Filter)[];

export function read(search: string): Filter {
  const given = new URLSearchParams(search);
  return Object.fromEntries(NAMES.map((name) => [name, given.get(name) ?? ""])) as unknown as Filter;
}

export function written(filter: Filter): string {
  const given = new URLSearchParams(NAMES.filter((name) => filter[name]).map((name) => [name, filter[name]]));
  return given.size ? `?${given}` : "";
}

export function isEmpty(filter: Filter): boolean {
  return NAMES.every((name) => !filter[name]);
}

/** As the list's query takes it. */
export function asQuery({ slower_than_ms, ...texts }: Filter) {
  const slower = Number(slower_than_ms);
  return { ...texts, ...(slower > 0 && { slower_than_ms: slower }) };
}

/** As the live tail's query takes it, which looks at no bodies. */
export function asTailQuery(filter: Filter) {
  const { body: _, ...rest } = asQuery(filter);
  return rest;
}
