/** Follows one project: how its services do, and what changed, so that it is read again. Mounted once, by the shell. */
import { useEffect, useState } from "react";
import { url } from "@/api/client";
import { streamIs } from "@/api/connection";
import { queries } from "@/api/queries";
import type { Changed } from "@/api/schema";
import { allowsSomewhere, useHeld } from "@/session/session";
import { concerns } from "./readAgain";
import { forget, heard } from "./services";
import { follow } from "./stream";

const GATHER_MS = 200; // a rollout is many changes at once; each answer is read once for all of them
const REST_MS = 1000; // between two readings, however many changes come
const TAKEN_MS = 15_000; // until it is asked for once more, where somebody may still have it

/** While somebody may see services: who may not is refused it, and sees no numbers that could be old. */
export function useProjectStream(project: string): void {
  const { data: held } = useHeld(project);
  const [taken, setTaken] = useState(""); // the project whose stream was taken away
  const allowed = held !== undefined && allowsSomewhere(held, "services.list");
  const wanted = project !== "" && project !== taken && allowed;
  useEffect(() => {
    if (!taken) return;
    const timer = setTimeout(() => setTaken(""), TAKEN_MS);
    return () => clearTimeout(timer);
  }, [taken]);
  useEffect(() => {
    if (!wanted) return;
    const takeAway = () => {
      setTaken(project);
      void queries.invalidateQueries(); // signed out, or a role was taken back
    };
    const news = gathered(readAgain);
    const stop = follow(url("/projects/{project}/live/stream", { project }), {
      on: {
        services: (data) => heard(JSON.parse(data)),
        changed: (data) => news.add(JSON.parse(data)),
        reset: () => void queries.invalidateQueries(),
      },
      opened: (missed) => {
        streamIs("there");
        if (missed) void queries.invalidateQueries();
      },
      broken: () => streamIs("away"),
      refused: (problem) => problem.final && takeAway(),
      ended: takeAway,
    });
    return () => {
      stop();
      news.stop();
      forget();
      streamIs("there");
    };
  }, [project, wanted]);
}

function readAgain(changes: Changed[]): void {
  void queries.invalidateQueries({
    predicate: ({ queryKey: [operation] }) =>
      typeof operation === "string" && changes.some((changed) => concerns(changed, operation)),
  });
}

/** Calls once for all that came within a while, and then not soon again. */
function gathered(then: (changes: Changed[]) => void) {
  let waiting: Changed[] = [];
  let timer: ReturnType<typeof setTimeout> | undefined;
  const tell = () => {
    const changes = waiting;
    waiting = [];
    timer = changes.length > 0 ? setTimeout(tell, REST_MS) : undefined;
    if (changes.length > 0) then(changes);
  };
  return {
    add(changed: Changed) {
      waiting.push(changed);
      timer ??= setTimeout(tell, GATHER_MS);
    },
    stop: () => clearTimeout(timer),
  };
}
