/** Around a table that may be wider than the window: it scrolls sideways, by keyboard too. */
import { Table } from "@mantine/core";
import type { ReactNode } from "react";

export function Scrolling({ minWidth, children }: { minWidth: number; children: ReactNode }) {
  return (
    <Table.ScrollContainer minWidth={minWidth} scrollAreaProps={{ viewportProps: { tabIndex: 0 } }}>
      {children}
    </Table.ScrollContainer>
  );
}
