/** Loads a page's code when it is wanted, also when the registry is away just then or has become a newer one. */
import { type ComponentType, type LazyExoticComponent, lazy } from "react";
import { whenThere } from "@/api/connection";
import { queries } from "@/api/queries";

const RELOADED = "narthex-reloaded";
const AGAIN_MS = 10_000;
const IDLE_WITHIN_MS = 500;
const DRAWN_WITHIN_MS = 3000; // some pages ask for ever

/** Code that nobody misses before the page is drawn: loaded when what that shows is there, and the browser rests. */
export function whenDrawn<P>(
  load: () => Promise<{ default: ComponentType<P> }>,
): LazyExoticComponent<ComponentType<P>> {
  return chunk(async () => {
    await drawn();
    return load();
  });
}

async function drawn(): Promise<void> {
  const latest = performance.now() + DRAWN_WITHIN_MS;
  do await rest();
  while (queries.isFetching() > 0 && performance.now() < latest);
}

function rest(): Promise<void> {
  return new Promise((resolve) => {
    if ("requestIdleCallback" in window) requestIdleCallback(() => resolve(), { timeout: IDLE_WITHIN_MS });
    else setTimeout(resolve, IDLE_WITHIN_MS); // not every browser says when it rests
  });
}

/** As React's lazy. What cannot be loaded is loaded with the whole page: a newer build has other names for its files. */
export function chunk<P>(load: () => Promise<{ default: ComponentType<P> }>): LazyExoticComponent<ComponentType<P>> {
  return lazy(async () => {
    try {
      return await load();
    } catch (error) {
      await whenThere();
      if (Date.now() - Number(sessionStorage.getItem(RELOADED)) < AGAIN_MS) throw error; // it did not help
      sessionStorage.setItem(RELOADED, String(Date.now()));
      window.location.reload();
      return new Promise<never>(() => {});
    }
  });
}
