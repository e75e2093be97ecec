/** Claims of a token with the values that count, one a line. */
import { Group, Stack, TagsInput, Text, TextInput } from "@mantine/core";
import type { ReactNode } from "react";
import { AddLine, RemoveLine } from "@/components/Lines";
import type { SettingsForm } from "./FieldInput";

interface Props {
  title: string;
  says: string;
  list: string; // where they are in the form
  count: number;
  empty: object; // a new one
  add: string;
  form: SettingsForm;
  before?: (place: string, label: string) => ReactNode; // at the beginning of each line
}

export function Claims({ title, says, list, count, empty, add, form, before }: Props) {
  return (
    <Stack gap="xs" role="group" aria-label={title}>
      <div>
        <Text size="sm" fw={500}>
          {title}
        </Text>
        <Text size="xs" c="dimmed">
          {says}
        </Text>
      </div>
      {Array.from({ length: count }, (_, number) => {
        const [place, label] = [`${list}.${number}`, `${title}, ${number + 1}`];
        return (
          <Group key={place} gap="xs" align="flex-start">
            {before?.(place, label)}
            <TextInput
              aria-label={`${label}: claim`}
              placeholder="groups, or realm_access.roles"
              autoComplete="off"
              w={{ base: "100%", xs: 240 }}
              {...form.getInputProps(`${place}.claim`)}
            />
            <TagsInput
              aria-label={`${label}: values`}
              placeholder={
                (form.getInputProps(`${place}.values`).value as string[]).length ? undefined : "One of these"
              }
              splitChars={[","]}
              acceptValueOnBlur
              flex={1}
              miw={180}
              {...form.getInputProps(`${place}.values`)}
            />
            <RemoveLine label={`${label}: remove`} onClick={() => form.removeListItem(list, number)} />
          </Group>
        );
      })}
      <AddLine onClick={() => form.insertListItem(list, empty)}>{add}</AddLine>
    </Stack>
  );
}
