/** A part of a page with a heading, a sentence, and what can be done with it. */
import { Card, Group, Stack, Text, Title } from "@mantine/core";
import type { ReactNode } from "react";

interface Props {
  title: string;
  says?: ReactNode;
  action?: ReactNode;
  children?: ReactNode;
}

export function Section({ title, says, action, children }: Props) {
  return (
    <Card withBorder component="section" aria-label={title}>
      <Group justify="space-between" align="flex-start" gap="sm" mb={children ? "sm" : 0}>
        <Stack gap={2} flex={1} miw={220}>
          <Title order={2} size="h4">
            {title}
          </Title>
          {says && (
            <Text size="sm" c="dimmed" component="div">
              {says}
            </Text>
          )}
        </Stack>
        {action}
      </Group>
      {children}
    </Card>
  );
}
