/** Whether an instance takes requests, in a word. */
import { Badge } from "@mantine/core";
import type { InstanceDetail } from "@/api/schema";

const COLORS: Record<string, string> = { healthy: "green", busy: "yellow", unhealthy: "red", stopping: "gray" };

export function Health({ instance }: { instance: Pick<InstanceDetail, "status" | "health"> }) {
  const word = instance.status === "stopping" ? "stopping" : instance.health;
  return <HealthBadge word={word} />;
}

export function HealthBadge({ word }: { word: string }) {
  return <Badge color={COLORS[word] ?? "gray"}>{word}</Badge>;
}
