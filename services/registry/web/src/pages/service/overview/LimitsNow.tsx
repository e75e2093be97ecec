/** How much of each limit is in use now. */
import { Group, Paper, Progress, SimpleGrid, Text } from "@mantine/core";
import { useAsk } from "@/api/queries";
import type { LimitUse, ServiceDetail } from "@/api/schema";
import { number } from "@/components/format";
import { Unread } from "@/components/Unread";

const EVERY_MS = 5000; // a measurement: no event tells it
const MOST = 8; // tokens; the fullest first

const KINDS: Record<string, string> = {
  rate_limit_total: "Requests a minute",
  rate_limit_user: "Requests a minute",
  concurrency_total: "Under way",
  concurrency_user: "Under way",
};

export function LimitsNow({ project, service }: { project: string; service: ServiceDetail }) {
  const uses = useAsk(
    "GET /projects/{project}/services/{service}/limits",
    { path: { project, service: service.name } },
    { every: EVERY_MS },
  );
  if (!uses.data?.length) return <Unread of={[uses]} title="How much of the limits is used could not be read" />;
  const fullest = [...uses.data].sort((one, other) => share(other) - share(one)).slice(0, MOST);
  return (
    <SimpleGrid cols={{ base: 1, sm: 2, lg: 4 }} spacing="sm">
      {fullest.map((use) => (
        <Use key={`${use.kind} ${use.token_id ?? ""}`} use={use} />
      ))}
    </SimpleGrid>
  );
}

function Use({ use }: { use: LimitUse }) {
  const label = `${KINDS[use.kind] ?? use.kind}, ${use.token_id ? (use.token_name ?? "a token") : "in all"}`;
  const full = share(use);
  return (
    <Paper withBorder p="sm">
      <Group justify="space-between" wrap="nowrap" gap="xs">
        <Text size="xs" c="dimmed" truncate>
          {label}
        </Text>
        <Text size="xs" style={{ whiteSpace: "nowrap" }}>
          {number(use.used)} of {number(use.limit)}
        </Text>
      </Group>
      <Progress
        value={full * 100}
        color={full >= 1 ? "red" : full >= 0.8 ? "yellow" : "indigo"}
        mt={6}
        aria-label={`${label}: ${number(use.used)} of ${number(use.limit)} used`}
      />
    </Paper>
  );
}

function share({ used, limit }: LimitUse): number {
  return limit > 0 ? used / limit : 0;
}
