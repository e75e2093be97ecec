/** A way in that is open or not; open, with what it needs. */
import { Stack, Switch, Text } from "@mantine/core";
import type { ReactNode } from "react";
import { Section } from "@/components/Section";
import type { Doors } from "./doors";
import type { SettingsForm } from "./FieldInput";

interface Props {
  title: string;
  says: string;
  form: SettingsForm;
  field: keyof Doors; // null in the form: closed
  opened: Doors[keyof Doors]; // what it begins with when it is opened
  children: ReactNode;
}

export function Door({ title, says, form, field, opened, children }: Props) {
  const open = form.values[field] !== null;
  const shown = Object.keys(form.errors).some((place) => place.startsWith(`${field}.`)); // at what is in it
  return (
    <Section
      title={title}
      says={says}
      action={
        <Switch
          label="A way in"
          checked={open}
          onChange={(event) => form.setFieldValue(field, (event.currentTarget.checked ? opened : null) as never)}
        />
      }
    >
      {open && <Stack gap="sm">{children}</Stack>}
      {open && !shown && form.errors[field] && (
        <Text size="sm" c="var(--mantine-color-error)" mt="xs">
          {form.errors[field]}
        </Text>
      )}
    </Section>
  );
}
