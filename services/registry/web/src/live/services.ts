/** How the services of the open project do now, as the stream tells: kept beside React, read with `useLive`. */
import { useSyncExternalStore } from "react";
import type { LiveService, LiveUpdate } from "@/api/schema";

export interface Live {
  measured: boolean; // else the log store is away and the numbers of requests are unknown
  services: ReadonlyMap<string, LiveService>;
}

// One map for ever: thousands of services are not copied for the few that changed. What is new is `now`.
const services = new Map<string, LiveService>();
let now: Live = { measured: true, services };
const listeners = new Set<() => void>();

/** What the stream sends: first all, then what changed. */
export function heard(news: LiveUpdate): void {
  if (news.whole) services.clear();
  for (const service of news.services) services.set(service.id, service);
  for (const id of news.gone) services.delete(id);
  become(news.measured);
}

export function forget(): void {
  services.clear();
  become(true);
}

export function useLive(): Live {
  return useSyncExternalStore(subscribe, () => now);
}

/** One service: only what shows it is drawn again when it changes. */
export function useLiveService(id: string | undefined): LiveService | undefined {
  return useSyncExternalStore(subscribe, () => (id === undefined ? undefined : services.get(id)));
}

export function useMeasured(): boolean {
  return useSyncExternalStore(subscribe, () => now.measured);
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

function become(measured: boolean): void {
  now = { measured, services };
  for (const listener of listeners) listener();
}
