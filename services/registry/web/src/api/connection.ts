/** Whether the registry is there, and the live stream with it: what the banner on top says. */
import { useSyncExternalStore } from "react";

export type Standing = "there" | "away";
export interface Connection {
  api: Standing;
  stream: Standing;
}

const PROBE_EVERY_MS = 2000;
const PROBE_WITHIN_MS = 3000; // a registry that hangs takes connections and answers nothing
const PROBE = "/v2.1/status";

let now: Connection = { api: "there", stream: "there" };
let probing: ReturnType<typeof setTimeout> | undefined;
const listeners = new Set<() => void>();
const returns = new Set<() => void>();

/** A request was answered, with whatever. */
export function reached(): void {
  if (now.api === "there") return;
  clearTimeout(probing);
  change({ api: "there" });
  for (const listener of returns) listener();
}

/** Something takes long, or broke off: looks whether the registry answers at all. */
export function doubted(): void {
  if (now.api === "there") look().then(reached, unreachable);
}

/** A request was not answered: asks again until one is. */
export function unreachable(): void {
  if (now.api === "away") return;
  change({ api: "away" });
  probe();
}

export function streamIs(stream: Standing): void {
  if (now.stream !== stream) change({ stream });
}

// The browser may know before any request tells.
window.addEventListener("offline", unreachable);

/** Calls when the registry is back after it was away. */
export function onReturn(listener: () => void): () => void {
  returns.add(listener);
  return () => returns.delete(listener);
}

/** Returns once the registry answers. */
export function whenThere(): Promise<void> {
  return look().then(
    () => reached(),
    () => {
      unreachable();
      return new Promise<void>((resolve) => {
        const stop = onReturn(() => {
          stop();
          resolve();
        });
      });
    },
  );
}

export function useConnection(): Connection {
  return useSyncExternalStore(subscribe, () => now);
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

function change(part: Partial<Connection>): void {
  now = { ...now, ...part };
  for (const listener of listeners) listener();
}

function probe(): void {
  probing = setTimeout(() => {
    look().then(reached, probe);
  }, PROBE_EVERY_MS);
}

function look(): Promise<Response> {
  return fetch(PROBE, { cache: "no-store", signal: AbortSignal.timeout(PROBE_WITHIN_MS) });
}
