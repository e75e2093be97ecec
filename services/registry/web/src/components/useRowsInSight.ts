/** Which rows of a list, all of one height, are in sight of a page that scrolls, and some before and after them. */
import { type RefObject, useLayoutEffect, useState } from "react";
import { flushSync } from "react-dom";

const AROUND = 8; // rows: what a turn of the wheel passes before the next frame

export interface Range {
  first: number;
  end: number; // the first one that is not
}

export function useRowsInSight(body: RefObject<HTMLElement | null>, count: number, height: number): Range {
  const [range, setRange] = useState<Range>({ first: 0, end: 0 });
  useLayoutEffect(() => {
    const look = () => setRange((before) => same(before, inSight(body.current, count, height)));
    const lookAtOnce = () => flushSync(look); // later than this frame's painting, rows would be seen to come
    look();
    window.addEventListener("scroll", lookAtOnce, { passive: true });
    window.addEventListener("resize", lookAtOnce);
    return () => {
      window.removeEventListener("scroll", lookAtOnce);
      window.removeEventListener("resize", lookAtOnce);
    };
  }, [body, count, height]);
  return { first: Math.min(range.first, count), end: Math.min(range.end, count) };
}

function inSight(body: HTMLElement | null, count: number, height: number): Range {
  if (body === null) return { first: 0, end: 0 };
  return rowsBetween(-body.getBoundingClientRect().top, window.innerHeight, count, height);
}

/** The rows of a list between `top` pixels below its begin and `tall` pixels further, and those around. Pure. */
function rowsBetween(top: number, tall: number, count: number, height: number): Range {
  const first = Math.floor(top / height) - AROUND;
  const end = Math.ceil((top + tall) / height) + AROUND;
  return { first: Math.min(Math.max(first, 0), count), end: Math.min(Math.max(end, 0), count) };
}

/** The former one if it is the same, so that nothing is drawn for it. */
function same(before: Range, now: Range): Range {
  return before.first === now.first && before.end === now.end ? before : now;
}
