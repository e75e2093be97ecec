/**
 * A stream of server-sent events that comes back by itself, and rests while nobody looks at the page.
 *
 * EventSource reconnects after a broken connection, but gives up on an answer that is no stream, like a 503 while the
 * registry starts; and browsers allow six connections to one host over HTTP/1.1, so hidden tabs must not hold one.
 * What will not come back is over: after the event `end`, with which the registry takes it away, or a final refusal.
 */
import { whyNoStream } from "@/api/client";
import { doubted, onReturn } from "@/api/connection";
import type { ApiProblem } from "@/api/problem";

const AGAIN_MS = [500, 1000, 2000, 4000, 8000];
const HIDDEN_MS = 20_000;
const SILENT_MS = 15_000; // a stream that sends `alive` every 10 s has died without a word
const ALIVE = "alive";
const END = "end";

export interface Following {
  on: Record<string, (data: string) => void>;
  opened?: (missed: boolean) => void; // after an interruption: what was told meanwhile is not told again
  broken?: () => void;
  refused?: (problem: ApiProblem) => void; // an answer that is no stream; one that is final is not asked for again
  ended?: (reason: string) => void; // the registry took it away
}

export function follow(url: string, { on, opened, broken, refused, ended }: Following): () => void {
  let source: EventSource | null = null;
  let tries = 0;
  let missed = false;
  let timer: ReturnType<typeof setTimeout> | undefined;
  let hidden: ReturnType<typeof setTimeout> | undefined;
  let silence: ReturnType<typeof setTimeout> | undefined;

  const open = () => {
    clearTimeout(timer);
    source?.close();
    source = new EventSource(url);
    source.onopen = () => {
      tries = 0;
      opened?.(missed);
      missed = true; // whatever comes from when this one ends until the next
    };
    source.onerror = () => {
      interrupted();
      if (source?.readyState === EventSource.CLOSED) void ask(); // else it tries again by itself
    };
    for (const [name, handle] of Object.entries({ ...on, [ALIVE]: listened, [END]: end })) {
      source.addEventListener(name, (event) => handle((event as MessageEvent<string>).data));
    }
  };
  const interrupted = () => {
    missed = true;
    broken?.();
    doubted();
  };
  const ask = async () => {
    const problem = await whyNoStream(url);
    if (source === null) return; // closed meanwhile
    if (problem) refused?.(problem);
    if (problem?.final) return stop();
    timer = setTimeout(open, AGAIN_MS[Math.min(tries++, AGAIN_MS.length - 1)]);
  };
  const end = (data: string) => {
    stop();
    ended?.(String(JSON.parse(data).error ?? ""));
  };
  const listened = () => {
    clearTimeout(silence);
    silence = setTimeout(() => {
      interrupted();
      open();
    }, SILENT_MS);
  };
  const close = () => {
    clearTimeout(timer);
    clearTimeout(silence);
    source?.close();
    source = null;
  };
  const looked = () => {
    clearTimeout(hidden);
    if (document.hidden) hidden = setTimeout(close, HIDDEN_MS);
    else if (source === null) open();
  };
  // A stream without `alive` may hang where the registry is a new one already.
  const forget = onReturn(() => source !== null && open());
  const stop = () => {
    forget();
    document.removeEventListener("visibilitychange", looked);
    clearTimeout(hidden);
    close();
  };

  open();
  document.addEventListener("visibilitychange", looked);
  return stop;
}
