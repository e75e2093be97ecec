/** What a query answered, or its problem, or grey bars while it is under way; and that an answer is an old one. */
import { Skeleton, Stack } from "@mantine/core";
import type { UseQueryResult } from "@tanstack/react-query";
import type { ReactNode } from "react";
import { useLastProblem } from "@/api/lastProblem";
import { asProblem } from "@/api/problem";
import { Problem } from "./Problem";

const OLD = "What is shown is old: it could not be read again";

interface Props<T> {
  of: UseQueryResult<T, unknown>;
  title?: string; // of the problem
  lines?: number;
  children: (answer: T) => ReactNode;
}

export function Loaded<T>({ of, title, lines = 3, children }: Props<T>) {
  const { data, error, isPlaceholderData } = of;
  const problem = useLastProblem({ data: isPlaceholderData ? undefined : data, error }); // not for what was kept
  const again = () => void of.refetch();
  if (problem) return <Problem of={problem} title={title} retry={again} />;
  if (data === undefined) return <Waiting lines={lines} />;
  const old = of.isRefetchError && asProblem(error).status !== 0; // of a registry that is away the banner tells
  return (
    <>
      {old && <Problem of={error} title={OLD} retry={again} above />}
      {children(data)}
    </>
  );
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
