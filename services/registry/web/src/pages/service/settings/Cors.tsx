/** Which pages of other origins may read the service's answers. */
import { Stack, Switch, TagsInput } from "@mantine/core";
import { useState } from "react";
import type { ServiceDetail } from "@/api/schema";
import type { SettingsForm } from "./FieldInput";

type Value = ServiceDetail["cors"];

/** What this form does not show of it is kept as it is. */
export function Cors({ value, form }: { value: Value; form: SettingsForm }) {
  const [on, setOn] = useState(value !== null);
  const now = (form.values.cors as Value) ?? {};
  const set = (changed: Record<string, unknown>) => form.setFieldValue("cors", { ...now, ...changed } as never);
  return (
    <Stack gap="xs">
      <Switch
        label="Pages of other origins may call it (CORS)"
        checked={on}
        onChange={(event) => {
          setOn(event.currentTarget.checked);
          form.setFieldValue("cors", (event.currentTarget.checked ? (value ?? { origins: [] }) : null) as never);
        }}
        mt={6}
      />
      {on && (
        <>
          <TagsInput
            label="Origins"
            description="Like https://app.example.com; * for all"
            splitChars={[",", " "]}
            value={(now.origins as string[] | undefined) ?? []}
            onChange={(origins) => set({ origins })}
            error={form.errors.cors}
          />
          <Switch
            label="With cookies"
            checked={now.credentials === true}
            onChange={(event) => set({ credentials: event.currentTarget.checked })}
          />
        </>
      )}
    </Stack>
  );
}
