/** Requests as they are answered, newest first; painted at most a few times a second, however fast they come. */
import { useEffect, useState } from "react";
import { url } from "@/api/client";
import { ApiProblem } from "@/api/problem";
import type { RequestRecord } from "@/api/schema";
import { follow } from "@/live/stream";
import { asTailQuery, type Filter } from "./filter";

const KEPT = 1000; // rows; older ones are in the log
const PAINT_MS = 250;

export interface Tail {
  requests: RequestRecord[];
  skipped: number;
  missed: boolean; // some while it was interrupted
  problem: ApiProblem | null; // why nothing more comes, for now or at all
}

const NOTHING: Tail = { requests: [], skipped: 0, missed: false, problem: null };

export function useTail(project: string, service: string, filter: Filter): Tail {
  const [tail, setTail] = useState(NOTHING);
  const query = JSON.stringify(asTailQuery(filter));
  useEffect(() => {
    setTail(NOTHING);
    let waiting: RequestRecord[] = [];
    let skipped = 0;
    const paint = setInterval(() => {
      if (waiting.length === 0 && skipped === 0) return;
      const [news, missed] = [waiting.reverse(), skipped];
      waiting = [];
      skipped = 0;
      setTail((before) => ({
        ...before,
        requests: [...news, ...before.requests].slice(0, KEPT),
        skipped: before.skipped + missed,
        problem: null,
      }));
    }, PAINT_MS);
    const say = (problem: ApiProblem) => setTail((before) => ({ ...before, problem }));
    const template = "/projects/{project}/services/{service}/requests/stream";
    const stop = follow(url(template, { project, service }, JSON.parse(query)), {
      on: {
        request: (data) => waiting.push(JSON.parse(data)),
        skipped: (data) => {
          skipped += JSON.parse(data).count;
        },
      },
      opened: (missed) => setTail((before) => ({ ...before, missed, problem: null })),
      refused: say,
      ended: (reason) => say(new ApiProblem(403, "ended", `Your access was taken back: ${reason}`, "")),
    });
    return () => {
      stop();
      clearInterval(paint);
    };
  }, [project, service, query]);
  return tail;
}
