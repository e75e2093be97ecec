/** Requests as they are answered, newest first; painted at most a few times a second, however fast they come. */
import { useEffect, useState } from "react";
import { url } from "@/api/client";
import type { RequestRecord } from "@/api/schema";
import { follow } from "@/live/stream";
import { asTailQuery, type Filter } from "./filter";

const KEPT = 1000; // rows; older ones are in the log
const PAINT_MS = 250;

export interface Tail {
  requests: RequestRecord[];
  skipped: number;
  problem: string;
}

const NOTHING: Tail = { requests: [], skipped: 0, problem: "" };

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
        requests: [...news, ...before.requests].slice(0, KEPT),
        skipped: before.skipped + missed,
        problem: "",
      }));
    }, PAINT_MS);
    const template = "/projects/{project}/services/{service}/requests/stream";
    const stop = follow(url(template, { project, service }, JSON.parse(query)), {
      on: {
        request: (data) => waiting.push(JSON.parse(data)),
        skipped: (data) => {
          skipped += JSON.parse(data).count;
        },
      },
      opened: () => setTail((before) => ({ ...before, problem: "" })),
      refused: () =>
        setTail((before) => ({
          ...before,
          problem: "The registry refused this filter, or does not answer; trying again.",
        })),
    });
    return () => {
      stop();
      clearInterval(paint);
    };
  }, [project, service, query]);
  return tail;
}
