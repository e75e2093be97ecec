/** How a service does now, in one word and a colour that is never alone. */
import { Badge } from "@mantine/core";
import type { LiveService } from "@/api/schema";
import { number } from "./format";

export function Ready({ live }: { live: LiveService | undefined }) {
  if (live === undefined) return <Badge color="gray">…</Badge>;
  const { instances, instances_ready: ready } = live;
  if (instances === 0) return <Badge color="gray">no instances</Badge>;
  const color = ready === instances ? "green" : ready > 0 ? "yellow" : "red";
  return (
    <Badge color={color}>
      {number(ready)}/{number(instances)} ready
    </Badge>
  );
}
