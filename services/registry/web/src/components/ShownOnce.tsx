/** A secret that is in one answer only: shown until the page is left, kept nowhere. */
import { Alert, Code, Group, Stack, Text } from "@mantine/core";
import { KeyRound } from "lucide-react";
import { Copy } from "./Copy";

export function ShownOnce({ value, label = "token" }: { value: string; label?: string }) {
  return (
    <Alert color="blue" icon={<KeyRound />} title={`This ${label} is shown only now`}>
      <Stack gap="xs">
        <Text size="sm">Copy it to where it is needed; it cannot be shown again.</Text>
        <Group gap={4} wrap="nowrap">
          <Code style={{ overflowWrap: "anywhere" }} fz="sm">
            {value}
          </Code>
          <Copy value={value} label={`Copy the ${label}`} size="md" />
        </Group>
      </Stack>
    </Alert>
  );
}
