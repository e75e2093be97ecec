/** A way in that is open or not; open, with what it needs. */
import { Stack, Switch, Text } from "@mantine/core";
import type { ReactNode } from "react";
import { Section } from "@/components/Section";

interface Props {
  title: string;
  says: string;
  open: boolean;
  onOpen: (open: boolean) => void;
  error: ReactNode; // of what is in it, where no field shows it
  children: ReactNode;
}

export function Door({ title, says, open, onOpen, error, children }: Props) {
  return (
    <Section
      title={title}
      says={says}
      action={<Switch label="A way in" checked={open} onChange={(event) => onOpen(event.currentTarget.checked)} />}
    >
      {open && <Stack gap="sm">{children}</Stack>}
      {open && error && (
        <Text size="sm" c="var(--mantine-color-error)" mt="xs">
          {error}
        </Text>
      )}
    </Section>
  );
}
