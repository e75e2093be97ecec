/** In the place of what could not be shown: what happened, what to do, the request id, and another try. */
import { Alert, Button, Stack } from "@mantine/core";
import { TriangleAlert } from "lucide-react";
import { asProblem } from "@/api/problem";
import { Why } from "./Why";

interface Props {
  of: unknown;
  title?: string;
  retry?: () => void;
}

export function Problem({ of, title = "This could not be shown", retry }: Props) {
  return (
    <Alert color="red" title={title} icon={<TriangleAlert />} role="alert">
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
