/**
 * A table of any length: only the rows that are in sight exist, and what they show is asked for when they come near.
 *
 * The page scrolls, not the table, so it works on a phone as in a wide window. Screen readers are told the whole count.
 * A row is drawn once: again only when its own data or the columns are others, so both are to be kept between drawings
 * by lists that are long. A plain `<a href>` in a cell is followed within the app; wouter's Link costs four listeners.
 */
// biome-ignore-all lint/a11y/useSemanticElements: a <table> lays out all of its rows, and these are placed one by one
// biome-ignore-all lint/a11y/useFocusableInteractive: links in the cells have the focus, rows are not widgets
import { Box, Loader, Text } from "@mantine/core";
import { memo, type ReactNode, useEffect, useLayoutEffect, useRef, useState } from "react";
import { useLocation } from "wouter";
import "./DataTable.css";
import { useRowsInSight } from "./useRowsInSight";

export interface Column<T> {
  key: string;
  header: ReactNode;
  width?: string; // of CSS grid: "120px", "minmax(160px, 2fr)"
  align?: "right";
  from?: "sm" | "md" | "lg"; // shown from this width of the window on
  cell: (row: T) => ReactNode;
}

/** An array, or a list of which not all rows are here. */
export interface RowList<T> {
  readonly length: number;
  at(index: number): T | undefined;
}

export interface TableProps<T> {
  label: string; // what the table is, for who cannot see it
  columns: Column<T>[];
  rows: RowList<T>;
  rowKey: (row: T) => string;
  rowHeight?: number;
  inSight?: (first: number, end: number) => void; // told which rows are, and that the end is when `end` is the length
  hasMore?: boolean; // more than `rows` knows of
  loading?: boolean; // they are under way
  onOpen?: (row: T) => void; // a click anywhere in the row; a link in a cell is needed besides, for the keyboard
  empty: ReactNode;
}

export function DataTable<T>({
  label,
  columns,
  rows,
  rowKey,
  rowHeight = 44,
  inSight,
  hasMore = false,
  loading = false,
  onOpen,
  empty,
}: TableProps<T>) {
  const body = useRef<HTMLDivElement>(null);
  const { first, end } = useRowsInSight(body, rows.length, rowHeight);
  const [focused, setFocused] = useState(-1); // its row stays, else the focus would be lost with it
  const clicked = useClicks(rows, onOpen);
  useEffect(() => inSight?.(first, end), [inSight, first, end]);

  if (rows.length === 0 && !loading && !hasMore) return <Box py="lg">{empty}</Box>;
  return (
    <>
      <div
        className="data-table"
        role="table"
        aria-label={label}
        aria-rowcount={hasMore ? -1 : rows.length + 1} // -1: nobody knows
        style={{ "--columns": template(columns), "--row-height": `${rowHeight}px` } as React.CSSProperties}
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
        {/* biome-ignore lint/a11y/useKeyWithClickEvents: a link in each row does the same by keyboard */}
        <div
          role="rowgroup"
          ref={body}
          className={onOpen ? "data-body data-opens" : "data-body"}
          style={{ height: rows.length * rowHeight }}
          onClick={clicked}
          onFocus={({ target }) => setFocused(indexOf(target))}
          onBlur={() => setFocused(-1)}
        >
          {shown(first, end, focused, rows.length).map((index) => {
            const row = rows.at(index);
            return (
              <Row
                key={row === undefined ? `at ${index}` : rowKey(row)}
                row={row}
                index={index}
                columns={columns}
                height={rowHeight}
              />
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

interface RowProps<T> {
  row: T | undefined; // not here yet
  index: number;
  columns: Column<T>[];
  height: number;
}

const Row = memo(function Row<T>({ row, index, columns, height }: RowProps<T>) {
  return (
    <div
      role="row"
      aria-rowindex={index + 2}
      aria-busy={row === undefined || undefined}
      className="data-row"
      style={{ top: index * height }}
    >
      {columns.map(({ key, align, from, cell }) => (
        <div key={key} role="cell" className={classes(align, from)}>
          {row === undefined ? <span className="data-awaited" /> : cell(row)}
        </div>
      ))}
    </div>
  );
}) as <T>(props: RowProps<T>) => ReactNode;

/** One handler for all rows: follows a plain link within the app, or opens the row. */
function useClicks<T>(rows: RowList<T>, onOpen?: (row: T) => void) {
  const [, go] = useLocation();
  return (event: React.MouseEvent) => {
    const target = event.target as Element;
    const link = target.closest("a");
    if (link !== null) {
      if (!leads(link, event)) return;
      event.preventDefault();
      go(link.pathname + link.search);
    } else if (onOpen && opens(target)) {
      const row = rows.at(indexOf(target));
      if (row !== undefined) onOpen(row);
    }
  };
}

/** Whether a click on a link leads to another page of the app, in this tab. */
function leads(link: HTMLAnchorElement, event: React.MouseEvent): boolean {
  const apart = event.ctrlKey || event.metaKey || event.altKey || event.shiftKey || event.button !== 0;
  return !apart && !event.defaultPrevented && !link.target && link.origin === window.location.origin;
}

/** A click on a button in a row is its own; a text that was selected is no click. */
function opens(target: Element): boolean {
  return !target.closest("button, input, label") && !window.getSelection()?.toString();
}

/** Of the row that something is in; past every row if it is in none. */
function indexOf(target: Element): number {
  const said = target.closest("[role=row]")?.getAttribute("aria-rowindex");
  return said ? Number(said) - 2 : Infinity;
}

/** The indices of the rows that exist, in their order. Pure. */
function shown(first: number, end: number, focused: number, count: number): number[] {
  const indices = Array.from({ length: end - first }, (_, at) => first + at);
  if (focused >= 0 && focused < first) return [focused, ...indices];
  return focused >= end && focused < count ? [...indices, focused] : indices;
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
