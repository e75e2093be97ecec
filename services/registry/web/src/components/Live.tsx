/** How a service does now, in one word and a colour that is never alone. */
import type { LiveService } from "@/api/schema";
import { Chip } from "./Chip";
import { number } from "./format";

export function Ready({ live }: { live: LiveService | undefined }) {
  if (live === undefined) return <Chip color="gray">…</Chip>;
  const { instances, instances_ready: ready } = live;
  if (instances === 0) return <Chip color="gray">no instances</Chip>;
  const color = ready === instances ? "green" : ready > 0 ? "yellow" : "red";
  return (
    <Chip color={color}>
      {number(ready)}/{number(instances)} ready
    </Chip>
  );
}
