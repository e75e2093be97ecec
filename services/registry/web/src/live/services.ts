/** How the services of the open project do now, as the stream tells: kept beside React, read with `useLive`. */
import { useSyncExternalStore } from "react";
import type { LiveService, LiveUpdate } from "@/api/schema";

type State = ReadonlyMap<string, LiveService>;

export interface Live {
  measured: boolean; // else the log store is away and the numbers of requests are unknown
  services: State;
}

const EMPTY: Live = { measured: true, services: new Map() };
let now: Live = EMPTY;
const listeners = new Set<() => void>();

/** What the stream sends: first all, then what changed. */
export function heard(news: LiveUpdate): void {
  const services = new Map(news.whole ? [] : now.services);
  for (const service of news.services) services.set(service.id, service);
  for (const id of news.gone) services.delete(id);
  become({ measured: news.measured, services });
}

export function forget(): void {
  become(EMPTY);
}

export function useLive(): Live {
  return useSyncExternalStore(subscribe, () => now);
}

export function useLiveService(id: string | undefined): LiveService | undefined {
  return useSyncExternalStore(subscribe, () => (id === undefined ? undefined : now.services.get(id)));
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

function become(state: Live): void {
  now = state;
  for (const listener of listeners) listener();
}
