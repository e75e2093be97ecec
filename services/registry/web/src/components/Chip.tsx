/** A word in a colour, as Mantine's Badge looks: one element, for lists that have one in each row. */
import type { ReactNode } from "react";
import "./Chip.css";

export type Colour = "gray" | "red" | "orange" | "yellow" | "green" | "blue";

export function Chip({ color, title, children }: { color: Colour; title?: string; children: ReactNode }) {
  return (
    <span className={`chip chip-${color}`} title={title}>
      {children}
    </span>
  );
}
