/**
 * A stream of server-sent events that comes back by itself, and rests while nobody looks at the page.
 *
 * EventSource reconnects after a broken connection, but gives up on an answer that is no stream, like a 503 while the
 * registry starts; and browsers allow six connections to one host over HTTP/1.1, so hidden tabs must not hold one.
 */
const AGAIN_MS = [500, 1000, 2000, 4000, 8000];
const HIDDEN_MS = 20_000;
const SILENT_MS = 25_000; // a stream that sends `alive` every 10 s has died without a word
const ALIVE = "alive";

export interface Following {
  on: Record<string, (data: string) => void>;
  opened?: () => void; // also after each interruption
  broken?: () => void;
  refused?: () => void; // an answer that is no stream: perhaps nobody is signed in any more
}

export function follow(url: string, { on, opened, broken, refused }: Following): () => void {
  let source: EventSource | null = null;
  let tries = 0;
  let timer: ReturnType<typeof setTimeout> | undefined;
  let hidden: ReturnType<typeof setTimeout> | undefined;
  let silence: ReturnType<typeof setTimeout> | undefined;

  const open = () => {
    clearTimeout(timer);
    source?.close();
    source = new EventSource(url);
    source.onopen = () => {
      tries = 0;
      opened?.();
    };
    source.onerror = () => {
      broken?.();
      if (source?.readyState !== EventSource.CLOSED) return; // it tries again by itself
      refused?.();
      timer = setTimeout(open, AGAIN_MS[Math.min(tries++, AGAIN_MS.length - 1)]);
    };
    for (const [name, handle] of Object.entries(on)) {
      source.addEventListener(name, (event) => handle((event as MessageEvent<string>).data));
    }
    source.addEventListener(ALIVE, listened);
  };
  const listened = () => {
    clearTimeout(silence);
    silence = setTimeout(() => {
      broken?.();
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

  open();
  document.addEventListener("visibilitychange", looked);
  return () => {
    document.removeEventListener("visibilitychange", looked);
    clearTimeout(hidden);
    close();
  };
}
