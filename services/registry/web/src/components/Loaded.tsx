/** What a query answered, or its problem, or grey bars while it is under way. */
import { Skeleton, Stack } from "@mantine/core";
import type { UseQueryResult } from "@tanstack/react-query";
import type { ReactNode } from "react";
import { Problem } from "./Problem";

interface Props<T> {
  of: UseQueryResult<T, unknown>;
  title?: string; // of the problem
  lines?: number;
  children: (answer: T) => ReactNode;
}

export function Loaded<T>({ of, title, lines = 3, children }: Props<T>) {
  if (of.data !== undefined) return children(of.data);
  if (of.isError) return <Problem of={of.error} title={title} retry={() => of.refetch()} />;
  return <Waiting lines={lines} />;
}

export function Waiting({ lines = 3 }: { lines?: number }) {
  return (
    <Stack gap="xs" aria-busy="true" aria-label="Loading">
      {Array.from({ length: lines }, (_, line) => (
        <Skeleton key={line} h={28} />
      ))}
    </Stack>
  );
}
