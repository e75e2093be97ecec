/** How the time of a request was spent, as bars beginning and ending between 0 and its end. Pure. */
import type { RequestRecord } from "@/api/schema";

export interface Span {
  what: string;
  detail: string; // e.g. the instance
  from: number; // ms since the request came
  until: number;
  kind: "router" | "failed" | "connecting" | "waiting" | "answering";
}

type Timed = Pick<RequestRecord, "attempts" | "connect_ms" | "first_byte_ms" | "total_ms">;

export function spans({ attempts, connect_ms, first_byte_ms, total_ms }: Timed): Span[] {
  const found: Span[] = [];
  const add = (span: Span) => (span.until > span.from || span.kind === "failed") && found.push(span);
  const first = attempts[0]?.at_ms ?? total_ms;
  add({ what: "Router", detail: "until an instance was chosen", from: 0, until: first, kind: "router" });
  attempts.forEach(({ address, outcome, reason, at_ms }, number) => {
    const next = attempts[number + 1]?.at_ms;
    if (next !== undefined || outcome !== "answered") {
      const detail = [address, reason].filter(Boolean).join(": ");
      add({ what: outcome, detail, from: at_ms, until: next ?? total_ms, kind: "failed" });
      return;
    }
    const connected = Math.max(at_ms, connect_ms);
    const answered = Math.max(connected, first_byte_ms || total_ms);
    add({ what: "Connecting", detail: address, from: at_ms, until: connected, kind: "connecting" });
    add({ what: "Waiting for the first byte", detail: address, from: connected, until: answered, kind: "waiting" });
    add({ what: "Receiving the answer", detail: address, from: answered, until: total_ms, kind: "answering" });
  });
  return found;
}
