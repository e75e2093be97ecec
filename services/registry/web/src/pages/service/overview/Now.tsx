/** The numbers of this minute, as the live stream brings them. */
import { Paper, SimpleGrid, Text } from "@mantine/core";
import type { ServiceDetail } from "@/api/schema";
import { ms, NOTHING, number, percent, rate } from "@/components/format";
import { useLiveService } from "@/live/services";

export function Now({ service }: { service: ServiceDetail }) {
  const live = useLiveService(service.id);
  return (
    <SimpleGrid cols={{ base: 2, sm: 3, lg: 5 }} spacing="sm">
      <Figure label="Instances ready" value={live ? `${live.instances_ready} of ${live.instances}` : NOTHING} />
      <Figure label="Requests" value={rate(live?.requests_per_second)} />
      <Figure label="Errors" value={percent(live?.error_rate)} />
      <Figure label="95 % answered within" value={ms(live?.p95_ms)} />
      <Figure label="Under way" value={number(live?.concurrency)} />
    </SimpleGrid>
  );
}

function Figure({ label, value }: { label: string; value: string }) {
  return (
    <Paper withBorder p="sm">
      <Text size="xs" c="dimmed">
        {label}
      </Text>
      <Text size="xl" fw={650}>
        {value}
      </Text>
    </Paper>
  );
}
