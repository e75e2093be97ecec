/**
 * Lines, or bars on top of one another, over time, on a canvas (uPlot): dragging zooms in, a double click goes back.
 *
 * What the canvas shows is said in words under it, with the last value of each line, or the one at the pointer, and the
 * highest, so colours and eyes are not needed.
 */
import { Box, Group, Paper, Text, useComputedColorScheme } from "@mantine/core";
import { useElementSize } from "@mantine/hooks";
import { useEffect, useMemo, useRef, useState } from "react";
import uPlot from "uplot";
import "uplot/dist/uPlot.min.css";
import { clock, moment } from "./format";

export interface Line {
  label: string;
  values: (number | null)[];
  color: ChartColor;
  stacked?: boolean; // drawn as bars on top of those before it
}

export type ChartColor = keyof typeof COLORS;

const COLORS = {
  green: { light: "#2b8a3e", dark: "#69db7c" },
  blue: { light: "#1971c2", dark: "#74c0fc" },
  orange: { light: "#d9480f", dark: "#ffa94d" },
  red: { light: "#c92a2a", dark: "#ff8787" },
  violet: { light: "#6741d9", dark: "#b197fc" },
  gray: { light: "#495057", dark: "#adb5bd" },
};
const HEIGHT = 180;
const LABEL_PX = 96; // what the longest label of a time takes
const SYNC = uPlot.sync("narthex"); // the cursor stands at the same time in all charts of a page

interface Props {
  title: string;
  times: number[]; // seconds since 1970
  lines: Line[];
  format: (value: number | null | undefined) => string;
  onZoom?: (fromS: number, toS: number) => void;
  onZoomOut?: () => void;
  empty?: string;
}

export function TimeChart({ title, times, lines, format, onZoom, onZoomOut, empty = "Nothing in this time" }: Props) {
  const scheme = useComputedColorScheme("light");
  const { ref: frame, width } = useElementSize();
  const place = useRef<HTMLDivElement>(null);
  const [at, setAt] = useState<number | null>(null); // where the pointer is, in any chart of the page
  const handlers = useRef({ onZoom, onZoomOut, format, setAt });
  handlers.current = { onZoom, onZoomOut, format, setAt };
  const drawn = useMemo(() => heights(lines), [lines]);
  const shape = JSON.stringify(lines.map(({ label, color, stacked }) => [label, color, stacked]));
  const chart = useRef<uPlot | null>(null);
  const nothing = lines.every(({ values }) => values.every((value) => value === null));

  // biome-ignore lint/correctness/useExhaustiveDependencies: new values go into the chart that is there, below
  useEffect(() => {
    if (!place.current || width === 0) return;
    const made = new uPlot(
      options(width, lines, scheme, handlers),
      [times, ...drawn] as uPlot.AlignedData,
      place.current,
    );
    chart.current = made;
    const out = () => handlers.current.onZoomOut?.();
    made.over.addEventListener("dblclick", out);
    return () => {
      made.destroy();
      chart.current = null;
    };
  }, [width, scheme, shape]);
  useEffect(() => {
    chart.current?.setData([times, ...drawn] as uPlot.AlignedData);
  }, [times, drawn]);

  return (
    <Paper withBorder p="sm" component="section" aria-label={title}>
      <Group justify="space-between" mb={4} gap="xs">
        <Text size="sm" fw={600}>
          {title}
        </Text>
        {at !== null && times[at] !== undefined && (
          <Text size="xs" c="dimmed">
            {moment(times[at] * 1000)}
          </Text>
        )}
      </Group>
      <Box ref={frame} pos="relative" mih={HEIGHT}>
        <div ref={place} aria-hidden="true" />
        {nothing && (
          <Text
            size="sm"
            c="dimmed"
            pos="absolute"
            top={70}
            left={0}
            right={0}
            ta="center"
            style={{ pointerEvents: "none" }}
          >
            {empty}
          </Text>
        )}
      </Box>
      <Group gap="md" mt={4} component="ul" p={0} m={0} style={{ listStyle: "none" }}>
        {lines.map((line) => (
          <Group key={line.label} component="li" gap={6} wrap="nowrap">
            <Box w={10} h={10} bg={COLORS[line.color][scheme]} style={{ borderRadius: 2 }} aria-hidden="true" />
            <Text size="xs">
              {line.label}: {format(at === null ? lastOf(line.values) : line.values[at])}
              <Text span inherit c="dimmed">
                {" "}
                (highest {format(highestOf(line.values))})
              </Text>
            </Text>
          </Group>
        ))}
      </Group>
    </Paper>
  );
}

type Handlers = React.RefObject<
  Pick<Props, "onZoom" | "onZoomOut" | "format"> & { setAt: (at: number | null) => void }
>;

function options(width: number, lines: Line[], scheme: "light" | "dark", handlers: Handlers): uPlot.Options {
  const text = scheme === "dark" ? "#ced4da" : "#495057";
  const grid = { stroke: scheme === "dark" ? "#3b3b3b" : "#e9ecef", width: 1 };
  const axis = { stroke: text, grid, ticks: { show: false }, font: "11px system-ui, sans-serif" };
  return {
    width,
    height: HEIGHT,
    legend: { show: false },
    cursor: {
      sync: { key: SYNC.key },
      drag: { x: true, y: false, setScale: false },
      points: { size: 6 },
    },
    scales: { y: { range: (_, _low, high) => [0, high > 0 ? high * 1.1 : 1] } },
    axes: [
      {
        ...axis,
        size: 28,
        space: LABEL_PX,
        values: (_, splits, _axis, _space, step) => splits.map((at) => timeLabel(at, step)),
      },
      { ...axis, size: 62, values: (_, splits) => splits.map((value) => handlers.current.format(value)) },
    ],
    series: [{}, ...painted(lines).map((line) => series(line, scheme))],
    hooks: {
      setCursor: [(chart) => handlers.current.setAt(chart.cursor.idx ?? null)],
      setSelect: [
        (chart) => {
          const { left, width } = chart.select;
          if (width < 8) return;
          handlers.current.onZoom?.(chart.posToVal(left, "x"), chart.posToVal(left + width, "x"));
          chart.setSelect({ left: 0, width: 0, top: 0, height: 0 }, false);
        },
      ],
    },
  };
}

function series(line: Line, scheme: "light" | "dark"): uPlot.Series {
  const color = COLORS[line.color][scheme];
  if (line.stacked) {
    return {
      label: line.label,
      fill: color,
      width: 0,
      paths: uPlot.paths.bars?.({ size: [0.7, 40] }),
      points: { show: false },
    };
  }
  return {
    label: line.label,
    stroke: color,
    width: 1.5,
    points: { show: true, size: 4, fill: color, filter: lonely },
    spanGaps: false,
  };
}

/** Values without neighbours are drawn as points: a line needs two. */
function lonely(chart: uPlot, at: number): number[] {
  const values = chart.data[at] ?? [];
  return [...values.keys()].filter((i) => values[i] != null && values[i - 1] == null && values[i + 1] == null);
}

function timeLabel(at: number, stepS: number): string {
  const time = new Date(at * 1000);
  if (stepS >= 86_400) return time.toLocaleDateString(undefined, { month: "short", day: "numeric" });
  if (stepS < 60) return clock(time.getTime());
  return time.toLocaleTimeString(undefined, { hour: "2-digit", minute: "2-digit" });
}

/** The tallest bars first: those that stand below are painted over them. */
function painted(lines: Line[]): Line[] {
  return [...lines].reverse();
}

/** What is drawn of each line, in the order of painting: bars stand on those before them. */
function heights(lines: Line[]): (number | null)[][] {
  let below: number[] = [];
  const drawn = lines.map(({ values, stacked }) => {
    if (!stacked) return values;
    below = values.map((value, at) => (value ?? 0) + (below[at] ?? 0));
    return below;
  });
  return drawn.reverse();
}

function lastOf(values: (number | null)[]): number | null {
  return values.findLast((value) => value !== null) ?? null;
}

function highestOf(values: (number | null)[]): number | null {
  const known = values.filter((value) => value !== null);
  return known.length ? Math.max(...known) : null;
}
