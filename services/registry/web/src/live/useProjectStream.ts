/** Follows one project: how its services do, and what changed, so that it is read again. Mounted once, by the shell. */
import { useEffect } from "react";
import { url } from "@/api/client";
import { onReturn, streamIs } from "@/api/connection";
import { queries } from "@/api/queries";
import type { Changed } from "@/api/schema";
import { concerns } from "./readAgain";
import { forget, heard } from "./services";
import { follow } from "./stream";

const GATHER_MS = 200; // a rollout is many changes at once; each answer is read once for all of them

export function useProjectStream(project: string): void {
  useEffect(() => {
    if (!project) return;
    const news = gathered(readAgain);
    const stop = follow(url("/projects/{project}/live/stream", { project }), {
      on: {
        services: (data) => heard(JSON.parse(data)),
        changed: (data) => news.add(JSON.parse(data)),
        reset: () => void queries.invalidateQueries(),
        end: () => void queries.invalidateQueries(), // signed out, or a role was taken back
      },
      opened: () => {
        streamIs("there");
      },
      broken: () => streamIs("away"),
      refused: () => void queries.invalidateQueries({ queryKey: ["GET /session"] }),
    });
    const unlisten = onReturn(() => void queries.invalidateQueries());
    return () => {
      stop();
      unlisten();
      news.stop();
      forget();
      streamIs("there");
    };
  }, [project]);
}

function readAgain(changes: Changed[]): void {
  void queries.invalidateQueries({
    predicate: ({ queryKey: [operation] }) =>
      typeof operation === "string" && changes.some((changed) => concerns(changed, operation)),
  });
}

/** Calls once for all that came within a while. */
function gathered(then: (changes: Changed[]) => void) {
  let waiting: Changed[] = [];
  let timer: ReturnType<typeof setTimeout> | undefined;
  return {
    add(changed: Changed) {
      waiting.push(changed);
      timer ??= setTimeout(() => {
        timer = undefined;
        const changes = waiting;
        waiting = [];
        then(changes);
      }, GATHER_MS);
    },
    stop: () => clearTimeout(timer),
  };
}
