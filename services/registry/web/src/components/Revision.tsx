/** Opens one revision of a thing to be edited: it is fixed then, and what others change must not slip under it. */
import { Alert, Button, Stack } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import type { ReactNode } from "react";
import type { Answered } from "@/api/client";
import type { ApiProblem } from "@/api/problem";
import { Loaded } from "./Loaded";

interface Props<T> {
  noun: string; // "service"
  id: string;
  read: () => Promise<Answered<T>>;
  isOld: (opened: T) => boolean; // somebody changed it meanwhile
  children: (opened: T, etag: string, again: () => void) => ReactNode; // the form, anew for each revision
}

export function Revision<T>({ noun, id, read, isOld, children }: Props<T>) {
  const opened = useQuery<Answered<T>, ApiProblem>({
    queryKey: ["settings", noun, id],
    queryFn: read,
    staleTime: "static", // also what makes everything else old leaves it, and what is typed into it
    gcTime: 0,
  });
  const again = () => void opened.refetch();
  return (
    <Loaded of={opened} title="The settings could not be shown" lines={8}>
      {({ answer, etag }) => (
        <Stack>
          {isOld(answer) && !opened.isFetching && (
            <Alert color="yellow" title="Changed meanwhile">
              Somebody changed this {noun} since you opened its settings.{" "}
              <Button size="compact-xs" variant="default" onClick={again}>
                Show them as they are now
              </Button>
            </Alert>
          )}
          {children(answer, etag, again)}
        </Stack>
      )}
    </Loaded>
  );
}
