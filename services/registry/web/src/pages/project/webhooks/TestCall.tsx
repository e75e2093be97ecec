/** Calls a webhook's address once, and tells how that went. */
import { Alert, Button, Stack, Text } from "@mantine/core";
import { Send } from "lucide-react";
import { useAsk, useChange } from "@/api/queries";
import type { WebhookDetail } from "@/api/schema";
import { Section } from "@/components/Section";
import { Unread } from "@/components/Unread";

const LOOK_EVERY_MS = 1000;
const HIDDEN = "(protected)"; // a value that only the registry knows: the test goes without that header

export function TestCall({ project, webhook }: { project: string; webhook: WebhookDetail }) {
  const test = useChange("POST /projects/{project}/webhooks-tests", { failed: "No test call was made" });
  const outcome = useAsk(
    "GET /projects/{project}/webhooks-tests/{id}",
    { path: { project, id: test.data?.id ?? "" } },
    {
      enabled: test.data !== undefined,
      every: (answer) => (answer === undefined || answer.status === "pending" ? LOOK_EVERY_MS : false),
    },
  );
  const { object_type, object_name, version, url, headers, event, timeout } = webhook;
  const known = headers.filter(({ value }) => value !== HIDDEN);
  const call = () =>
    test.mutate({
      path: { project },
      body: { object_type, object_name, version, url, headers: known, event, timeout },
    });
  return (
    <Section
      title="Test it"
      says="Calls the address once, with a body that says that it is a test."
      action={
        <Button
          variant="default"
          leftSection={<Send size={16} />}
          onClick={call}
          loading={test.isPending || outcome.data?.status === "pending"}
        >
          Make a test call
        </Button>
      }
    >
      <Stack gap="xs" aria-live="polite">
        {known.length < headers.length && (
          <Text size="xs" c="dimmed">
            Without the headers whose values are secret.
          </Text>
        )}
        <Unread of={[outcome]} title="How the test call went could not be read" />
        {outcome.data?.status === "success" && (
          <Alert color="green" title="It was answered">
            The address took the call.
          </Alert>
        )}
        {outcome.data?.status === "failed" && (
          <Alert color="red" title="It failed">
            {outcome.data.error_message ?? "The address did not take the call."}
          </Alert>
        )}
      </Stack>
    </Section>
  );
}
