/** Starts all that the page in the address needs at once, where else each would wait for the one before it. */
import type { Page } from "@/pages/page";
import { pages } from "@/pages/pages";
import { askWhoAhead } from "@/session/session";
import { rememberedProject } from "./rememberedProject";

export function startAhead(): void {
  const { pathname } = window.location;
  const home = `/projects/${rememberedProject()}/services`;
  const found = pageAt(pathname === "/" ? home : pathname, pages);
  askWhoAhead(found?.params.project ?? "");
  found?.page.ahead?.(found.params);
  // Whoever draws them says what went wrong with these.
  import("./Shell").catch(() => {});
  found?.page.load().catch(() => {});
}

/** The page of a path, and what the path names. Pure. */
export function pageAt(path: string, among: Page[]): { page: Page; params: Record<string, string> } | undefined {
  if (path.includes("%")) return undefined; // nothing of ours is called so
  for (const page of among) {
    const found = patternOf(page.path).exec(path);
    if (found) return { page, params: { ...found.groups } };
  }
  return undefined;
}

/** As wouter reads paths: ":name" is one part, ":name?" one that may be absent. */
function patternOf(path: string): RegExp {
  const optional = path.replace(/\/:(\w+)\?/g, "(?:/(?<$1>[^/]+))?");
  return new RegExp(`^${optional.replace(/:(\w+)/g, "(?<$1>[^/]+)")}/?$`, "i");
}
