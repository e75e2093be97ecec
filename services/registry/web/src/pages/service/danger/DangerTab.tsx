/** What cannot be undone. */
import { Button, Card, Group, Stack, Text, Title } from "@mantine/core";
import { useState } from "react";
import { useLocation } from "wouter";
import { useChange } from "@/api/queries";
import { ConfirmByName } from "@/components/ConfirmByName";
import type { TabProps } from "../tabs";

export default function DangerTab({ project, service }: TabProps) {
  const [asking, setAsking] = useState(false);
  const [, go] = useLocation();
  const remove = useChange("DELETE /projects/{project}/services/{service}", {
    quiet: true,
    done: `${service.name} is deleted`,
    after: () => go(`/projects/${project}/services`),
  });
  return (
    <Card withBorder maw={720}>
      <Group justify="space-between" gap="md">
        <Stack gap={4} flex={1} miw={240}>
          <Title order={2} size="h4">
            Delete this service
          </Title>
          <Text size="sm">
            Its address stops answering at once, on open connections too. The deployment {service.deployment} and its
            instances stay.
          </Text>
        </Stack>
        <Button color="red" onClick={() => setAsking(true)}>
          Delete {service.name}
        </Button>
      </Group>
      <ConfirmByName
        opened={asking}
        title={`Delete ${service.name}?`}
        name={service.name}
        action="Delete the service"
        consequence="Everybody who calls its address gets a 404 from now on. Limits, sharing links and own domains of this service go with it."
        working={remove.isPending}
        problem={remove.error}
        onConfirm={() => remove.mutate({ path: { project, service: service.name } })}
        onClose={() => setAsking(false)}
      />
    </Card>
  );
}
