/** Permissions as a table: what can be done to which things. Pure. */

export const VERBS = ["list", "get", "create", "update", "delete"] as const;
export type Verb = (typeof VERBS)[number];

export interface Thing {
  name: string; // "deployments.versions"
  verbs: Partial<Record<Verb, string>>; // the permission for each
}

/** `deployments.versions.get` is the verb `get` of `deployments.versions`. */
export function things(permissions: readonly string[]): Thing[] {
  const found = new Map<string, Thing>();
  for (const permission of permissions) {
    const at = permission.lastIndexOf(".");
    const name = permission.slice(0, at);
    const verb = permission.slice(at + 1) as Verb;
    const thing = found.get(name) ?? { name, verbs: {} };
    thing.verbs[verb] = permission;
    found.set(name, thing);
  }
  return [...found.values()].sort((one, other) => (one.name < other.name ? -1 : 1));
}

/** "deployments.versions.requests" as people say it. */
export function inWords(name: string): string {
  return name.replaceAll("_", " ").split(".").join(" › ");
}
