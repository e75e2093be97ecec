/** Starts all that the page in the address needs at once, where else each would wait for the one before it. */
import { parse } from "regexparam";
import { type DefaultParams, matchRoute } from "wouter";
import { pages } from "@/pages/pages";
import { askWhoAhead } from "@/session/session";
import { rememberedProject } from "./rememberedProject";

export function startAhead(): void {
  const { pathname } = window.location;
  const home = `/projects/${rememberedProject()}/services`;
  const found = pageAt(pathname === "/" ? home : pathname);
  askWhoAhead(found?.params.project ?? "");
  found?.page.ahead?.(found.params);
  // Whoever draws them says what went wrong with these.
  import("./Shell").catch(() => {});
  found?.page.load().catch(() => {});
}

/** The page of a path as wouter's Route will find it, and what the path names. */
function pageAt(path: string) {
  if (path.includes("%")) return undefined; // nothing of ours is called so
  for (const page of pages) {
    const [found, params] = matchRoute<DefaultParams>(parse, page.path, path);
    if (found) return { page, params };
  }
  return undefined;
}
