/** In the place of what could not be shown: what happened, what to do, the request id, and another try. */
import { Alert, Button, Stack } from "@mantine/core";
import { TriangleAlert } from "lucide-react";
import { asProblem } from "@/api/problem";
import { Why } from "./Why";

interface Props {
  of: unknown;
  title?: string;
  retry?: () => void;
  above?: boolean; // something that is shown all the same
}

export function Problem({ of, title = "This could not be shown", retry, above = false }: Props) {
  return (
    <Alert color="red" title={title} icon={<TriangleAlert />} role="alert" mb={above ? "sm" : undefined}>
      <Stack gap="xs" align="flex-start">
        <Why of={asProblem(of)} />
        {retry && (
          <Button size="xs" variant="default" onClick={retry}>
            Try again
          </Button>
        )}
      </Stack>
    </Alert>
  );
}
