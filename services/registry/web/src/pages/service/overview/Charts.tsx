/** Requests, times, load and limits of a service over a stretch of time; dragging over a chart zooms in to it. */
import { Button, Group, SegmentedControl, SimpleGrid, Stack, Text } from "@mantine/core";
import { ZoomOut } from "lucide-react";
import { useState } from "react";
import { useAsk } from "@/api/queries";
import type { ServiceChart, ServiceDetail } from "@/api/schema";
import { moment, ms, number, percent } from "@/components/format";
import { Loaded } from "@/components/Loaded";
import { type Line, TimeChart } from "@/components/TimeChart";
import { limitsUsed } from "./limitsUsed";
import { RECENT, recent, type Span, until, zoomed } from "./span";
import { useNow } from "./useNow";

const LOOK_MS = 10_000;
const POINTS = 120;

interface Props {
  project: string;
  service: ServiceDetail;
}

export function Charts({ project, service }: Props) {
  const [chosen, setChosen] = useState("15m");
  const [zoom, setZoom] = useState<Span[]>([]); // each within the one before it
  const now = useNow(LOOK_MS);
  const span = zoom.at(-1) ?? until(now, recent(chosen));
  const chart = useAsk(
    "GET /projects/{project}/services/{service}/chart",
    {
      path: { project, service: service.name },
      query: { since: iso(span.fromS), until: iso(span.toS), points: POINTS },
    },
    { keep: true },
  );
  return (
    <Stack gap="sm">
      <Group justify="space-between" gap="xs">
        <SegmentedControl
          aria-label="How far back"
          data={RECENT.map(({ value, label }) => ({ value, label }))}
          value={zoom.length ? "" : chosen}
          onChange={(value) => {
            setChosen(value);
            setZoom([]);
          }}
          size="xs"
        />
        {zoom.length > 0 && (
          <Group gap="xs">
            <Text size="xs">
              {moment(span.fromS * 1000)} – {moment(span.toS * 1000)}
            </Text>
            <Button
              size="compact-xs"
              variant="default"
              leftSection={<ZoomOut size={14} />}
              onClick={() => setZoom(zoom.slice(0, -1))}
            >
              Zoom out
            </Button>
          </Group>
        )}
      </Group>
      <Loaded of={chart} title="The charts could not be shown" lines={8}>
        {(found) => (
          <Drawn
            chart={found}
            service={service}
            onZoom={(fromS, toS) => setZoom([...zoom, zoomed(fromS, toS)])}
            onZoomOut={() => setZoom(zoom.slice(0, -1))}
          />
        )}
      </Loaded>
    </Stack>
  );
}

interface DrawnProps {
  chart: ServiceChart;
  service: ServiceDetail;
  onZoom: (fromS: number, toS: number) => void;
  onZoomOut: () => void;
}

function Drawn({ chart, service, onZoom, onZoomOut }: DrawnProps) {
  const shared = { times: chart.times, onZoom, onZoomOut };
  const used = limitsUsed(chart, service);
  return (
    <SimpleGrid cols={{ base: 1, lg: 2 }} spacing="sm">
      <TimeChart
        title={`Requests, each ${periodInWords(chart.period_s)}`}
        lines={byClass(chart)}
        format={number}
        {...shared}
      />
      <TimeChart title="Time to the whole answer" lines={percentiles(chart)} format={ms} {...shared} />
      <TimeChart
        title="Time to the first byte, mean"
        lines={[{ label: "first byte", values: chart.first_byte_ms, color: "blue" }]}
        format={ms}
        {...shared}
      />
      <TimeChart title="Requests under way, and instances" lines={load(chart)} format={number} {...shared} />
      {used.length > 0 && <TimeChart title="Limits used, in all" lines={used} format={percent} {...shared} />}
      {isLimited(service) && (
        <TimeChart
          title={`Refused by a limit, each ${periodInWords(chart.period_s)}`}
          lines={[{ label: "refused with 429", values: chart.limited, color: "orange", stacked: true }]}
          format={number}
          {...shared}
        />
      )}
    </SimpleGrid>
  );
}

function byClass({ by_class }: ServiceChart): Line[] {
  const lines: Line[] = [
    { label: "2xx", values: by_class["2xx"] ?? [], color: "green", stacked: true },
    { label: "3xx", values: by_class["3xx"] ?? [], color: "blue", stacked: true },
    { label: "4xx", values: by_class["4xx"] ?? [], color: "orange", stacked: true },
    { label: "5xx", values: by_class["5xx"] ?? [], color: "red", stacked: true },
    { label: "broken off", values: by_class.broken ?? [], color: "violet", stacked: true },
  ];
  return lines.filter(({ label, values }) => label === "2xx" || label === "5xx" || values.some(Boolean));
}

function percentiles(chart: ServiceChart): Line[] {
  return [
    { label: "half within", values: chart.p50_ms, color: "green" },
    { label: "95 % within", values: chart.p95_ms, color: "orange" },
    { label: "99 % within", values: chart.p99_ms, color: "red" },
  ];
}

function load(chart: ServiceChart): Line[] {
  return [
    { label: "under way, mean", values: chart.in_flight, color: "blue" },
    { label: "instances ready", values: chart.instances_ready, color: "gray" },
  ];
}

function isLimited(service: ServiceDetail): boolean {
  const { rate_limit, rate_limit_user_default, concurrency_limit, concurrency_limit_user_default } = service;
  return [rate_limit, rate_limit_user_default, concurrency_limit, concurrency_limit_user_default].some(
    (limit) => limit !== null,
  );
}

function periodInWords(seconds: number): string {
  const [unit, sizeS] = (
    [
      ["day", 86_400],
      ["hour", 3_600],
      ["minute", 60],
    ] as const
  ).find(([, size]) => seconds >= size) ?? ["second", 1];
  const count = seconds / sizeS;
  return count === 1 ? unit : `${count} ${unit}s`;
}

function iso(seconds: number): string {
  return new Date(seconds * 1000).toISOString();
}
