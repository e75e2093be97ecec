/** The time of a request from top to bottom: what the router did, each attempt, and the answer. */
import { Badge, Box, Group, Stack, Text, useComputedColorScheme } from "@mantine/core";
import type { RequestRecord } from "@/api/schema";
import { ms } from "@/components/format";
import { type Span, spans } from "./timing";

const COLORS = { router: "gray", failed: "red", connecting: "yellow", waiting: "blue", answering: "green" } as const;
const LEAST = 0.6; // percent: what took no time is to be seen all the same

export function Waterfall({ record }: { record: RequestRecord }) {
  const rows = spans(record);
  const whole = Math.max(record.total_ms, 0.001);
  return (
    <Stack gap={10} component="ol" m={0} p={0} style={{ listStyle: "none" }} aria-label="How the time was spent">
      {rows.map((span) => (
        <Row key={`${span.kind}-${span.from}`} span={span} whole={whole} />
      ))}
    </Stack>
  );
}

function Row({ span, whole }: { span: Span; whole: number }) {
  const dark = useComputedColorScheme("light") === "dark";
  const left = Math.min((span.from / whole) * 100, 100 - LEAST);
  const width = Math.max(LEAST, Math.min(((span.until - span.from) / whole) * 100, 100 - left));
  return (
    <Box component="li">
      <Group justify="space-between" gap="xs" mb={3}>
        <Group gap={6} miw={0} flex={1}>
          {span.kind === "failed" ? <Badge color="red">{span.what}</Badge> : <Text size="sm">{span.what}</Text>}
          <Text size="xs" c="dimmed" style={{ overflowWrap: "anywhere" }}>
            {span.detail}
          </Text>
        </Group>
        <Text size="sm" style={{ whiteSpace: "nowrap" }}>
          {ms(span.until - span.from)}
          {span.from > 0 && (
            <Text span size="xs" c="dimmed">
              {" "}
              from {ms(span.from)}
            </Text>
          )}
        </Text>
      </Group>
      <Box h={8} bg="var(--mantine-color-default-hover)" style={{ borderRadius: 4, overflow: "hidden" }} aria-hidden>
        <Box
          h="100%"
          ml={`${left}%`}
          w={`${width}%`}
          bg={`${COLORS[span.kind]}.${dark ? 5 : 6}`}
          style={{ borderRadius: 4 }}
        />
      </Box>
    </Box>
  );
}
