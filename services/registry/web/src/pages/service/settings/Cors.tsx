/** Which pages of other origins may read the service's answers. */
import { Stack, Switch, TagsInput } from "@mantine/core";
import type { ServiceDetail } from "@/api/schema";
import type { SettingsForm } from "./FieldInput";

type Value = ServiceDetail["cors"];

/** What this form does not show of it is kept as it is. */
export function Cors({ value, form }: { value: Value; form: SettingsForm }) {
  const now = form.values.cors as Value;
  const set = (changed: Value) => form.setFieldValue("cors", changed as never);
  return (
    <Stack gap="xs">
      <Switch
        label="Pages of other origins may call it (CORS)"
        checked={now !== null}
        onChange={(event) => set(event.currentTarget.checked ? (value ?? { origins: [] }) : null)}
        mt={6}
      />
      {now !== null && (
        <>
          <TagsInput
            label="Origins"
            description="Like https://app.example.com; * for all"
            splitChars={[",", " "]}
            value={(now.origins as string[] | undefined) ?? []}
            onChange={(origins) => set({ ...now, origins })}
            error={form.errors.cors}
          />
          <Switch
            label="With cookies"
            checked={now.credentials === true}
            onChange={(event) => set({ ...now, credentials: event.currentTarget.checked })}
          />
        </>
      )}
    </Stack>
  );
}
