/** In the place of what could not be shown: what happened, what to do, the request id, and another try. */
import { Alert, Button, Stack, Text } from "@mantine/core";
import { TriangleAlert } from "lucide-react";
import { advice, asProblem } from "@/api/problem";
import { sentence } from "./notices";
import { RequestId } from "./RequestId";

interface Props {
  of: unknown;
  title?: string;
  retry?: () => void;
}

export function Problem({ of, title = "This could not be shown", retry }: Props) {
  const problem = asProblem(of);
  return (
    <Alert color="red" title={title} icon={<TriangleAlert />} role="alert">
      <Stack gap="xs" align="flex-start">
        <Text size="sm">{sentence(problem.message)}</Text>
        {advice(problem) && <Text size="sm">{advice(problem)}</Text>}
        <RequestId of={problem} />
        {retry && (
          <Button size="xs" variant="default" onClick={retry}>
            Try again
          </Button>
        )}
      </Stack>
    </Alert>
  );
}
