/**
 * A table of any length: only the rows that are in sight exist, and more are asked for when the end comes near.
 *
 * The page scrolls, not the table, so it works on a phone as in a wide window. Screen readers are told the whole count.
 */
// biome-ignore-all lint/a11y/useSemanticElements: a <table> lays out all of its rows, and these are placed one by one
// biome-ignore-all lint/a11y/useFocusableInteractive: links in the cells have the focus, rows are not widgets
import { Box, Loader, Text } from "@mantine/core";
import { useWindowVirtualizer } from "@tanstack/react-virtual";
import { type ReactNode, useEffect, useLayoutEffect, useRef, useState } from "react";
import "./DataTable.css";

export interface Column<T> {
  key: string;
  header: ReactNode;
  width?: string; // of CSS grid: "120px", "minmax(160px, 2fr)"
  align?: "right";
  from?: "sm" | "md" | "lg"; // shown from this width of the window on
  cell: (row: T) => ReactNode;
}

export interface TableProps<T> {
  label: string; // what the table is, for who cannot see it
  columns: Column<T>[];
  rows: T[];
  rowKey: (row: T) => string;
  rowHeight?: number;
  total?: number; // when more are there than `rows`
  more?: () => void; // asks for the next page
  hasMore?: boolean;
  loading?: boolean; // the next page is under way
  onOpen?: (row: T) => void; // a click anywhere in the row; a link in a cell is needed besides, for the keyboard
  empty: ReactNode;
}

const OVERSCAN = 12;
const NEAR_END = 20; // rows

export function DataTable<T>({
  label,
  columns,
  rows,
  rowKey,
  rowHeight = 44,
  total,
  more,
  hasMore = false,
  loading = false,
  onOpen,
  empty,
}: TableProps<T>) {
  const body = useRef<HTMLDivElement>(null);
  const top = useTopOf(body);
  const virtual = useWindowVirtualizer({
    count: rows.length,
    estimateSize: () => rowHeight,
    overscan: OVERSCAN,
    scrollMargin: top,
    getItemKey: (index) => rowKey(rows[index] as T),
  });
  const items = virtual.getVirtualItems();
  const last = items.at(-1)?.index ?? 0;
  const nearEnd = last >= rows.length - NEAR_END;
  useEffect(() => {
    if (nearEnd && hasMore && !loading) more?.();
  }, [nearEnd, hasMore, loading, more]);

  if (rows.length === 0 && !loading && !hasMore) return <Box py="lg">{empty}</Box>;
  return (
    <>
      <div
        className="data-table"
        role="table"
        aria-label={label}
        aria-rowcount={(total ?? rows.length) + 1}
        style={{ "--columns": template(columns) } as React.CSSProperties}
      >
        <Widths columns={columns} />
        <div role="rowgroup">
          <div role="row" aria-rowindex={1} className="data-row data-head">
            {columns.map(({ key, header, align, from }) => (
              <div key={key} role="columnheader" className={classes(align, from)}>
                {header}
              </div>
            ))}
          </div>
        </div>
        <div role="rowgroup" ref={body} className="data-body" style={{ height: virtual.getTotalSize() }}>
          {items.map(({ index, key, start }) => {
            const row = rows[index] as T;
            return (
              // biome-ignore lint/a11y/useKeyWithClickEvents: a link in the row does the same by keyboard
              <div
                key={key as string}
                role="row"
                aria-rowindex={index + 2}
                className={onOpen ? "data-row data-opens" : "data-row"}
                style={{ height: rowHeight, transform: `translateY(${start - top}px)` }}
                onClick={onOpen && ((event) => opens(event.target) && onOpen(row))}
              >
                {columns.map(({ key, align, from, cell }) => (
                  <div key={key} role="cell" className={classes(align, from)}>
                    {cell(row)}
                  </div>
                ))}
              </div>
            );
          })}
        </div>
      </div>
      {loading && (
        <Box p="sm" ta="center">
          <Loader size="sm" role="status" aria-label="Loading more" />
        </Box>
      )}
      {!hasMore && !loading && rows.length > 50 && (
        <Text size="xs" c="dimmed" ta="center" p="sm">
          That is all.
        </Text>
      )}
    </>
  );
}

/** A click on a button or a link in a row is theirs; a text that was selected is no click. */
function opens(target: EventTarget): boolean {
  return !(target as Element).closest("a, button, input, label") && !window.getSelection()?.toString();
}

function classes(align?: "right", from?: string): string {
  return ["data-cell", align && "data-right", from && `data-from-${from}`].filter(Boolean).join(" ");
}

function template<T>(columns: Column<T>[]): string {
  return columns.map(({ width = "minmax(0, 1fr)" }) => width).join(" ");
}

/** Columns that a narrow window does without leave their place to the others. */
function Widths<T>({ columns }: { columns: Column<T>[] }) {
  const ref = useRef<HTMLSpanElement>(null);
  useLayoutEffect(() => {
    const table = ref.current?.parentElement;
    if (!table) return;
    const shown = (from?: string) => !from || matchMedia(`(min-width: ${{ sm: 48, md: 62, lg: 75 }[from]}em)`).matches;
    const fit = () => table.style.setProperty("--columns", template(columns.filter(({ from }) => shown(from))));
    fit();
    window.addEventListener("resize", fit);
    return () => window.removeEventListener("resize", fit);
  }, [columns]);
  return <span ref={ref} hidden />;
}

/** How far down the page something begins. */
function useTopOf(ref: React.RefObject<HTMLElement | null>): number {
  const [top, setTop] = useState(0);
  // Without dependencies: whatever is above may have grown in any rendering.
  useLayoutEffect(() => {
    const now = ref.current ? ref.current.getBoundingClientRect().top + window.scrollY : 0;
    if (Math.abs(now - top) > 1) setTop(now);
  });
  return top;
}
