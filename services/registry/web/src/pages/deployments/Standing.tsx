/** How many instances of a version are healthy. */
import { Badge } from "@mantine/core";
import { useAsk } from "@/api/queries";
import type { InstancePage } from "@/api/schema";
import { number } from "@/components/format";

export interface Count {
  healthy: number;
  all: number;
  more: boolean; // than were counted
}

const COUNTED = 250;

export function useCount(project: string, deployment: string, version: string | null) {
  const asked = useAsk(
    "GET /projects/{project}/deployments/{deployment}/versions/{version}/instances",
    { path: { project, deployment, version: version ?? "" }, query: { limit: COUNTED } },
    { enabled: version !== null },
  );
  return { count: asked.data && count(asked.data), asked };
}

export function Standing(props: { project: string; deployment: string; version: string }) {
  const { count, asked } = useCount(props.project, props.deployment, props.version);
  if (asked.error && !count) {
    return (
      <Badge color="gray" title={`${asked.error.message} (request ${asked.error.requestId || "without an id"})`}>
        unknown
      </Badge>
    );
  }
  if (count === undefined) return <Badge color="gray">…</Badge>;
  if (count.all === 0) return <Badge color="gray">none</Badge>;
  const color = count.healthy === count.all ? "green" : count.healthy > 0 ? "yellow" : "red";
  return <Badge color={color}>{inWords(count)}</Badge>;
}

/** "2/3 healthy" */
export function inWords({ healthy, all, more }: Count): string {
  return `${number(healthy)}/${number(all)}${more ? "+" : ""} healthy`;
}

function count({ results, next }: InstancePage): Count {
  const staying = results.filter(({ status }) => status !== "stopping");
  const healthy = staying.filter(({ health }) => health === "healthy" || health === "busy").length;
  return { healthy, all: staying.length, more: next !== null };
}
