/** How long ago something was, kept true while it is shown; the exact time is its title. */
import { useEffect, useState } from "react";
import { ago, moment } from "./format";

const EVERY_MS = 10_000;

export function Ago({ time }: { time: string | null | undefined }) {
  const [, tick] = useState(0);
  useEffect(() => {
    const timer = setInterval(() => tick((count) => count + 1), EVERY_MS);
    return () => clearInterval(timer);
  }, []);
  return (
    <time dateTime={time ?? undefined} title={moment(time)}>
      {ago(time)}
    </time>
  );
}
