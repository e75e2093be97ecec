/** One setting, by its kind. */
import { NumberInput, Select, Switch, TagsInput, TextInput } from "@mantine/core";
import type { UseFormReturnType } from "@mantine/form";
import { ruleOf } from "@/api/rule";
import type { Field } from "./fields";
import type { Values } from "./values";

export type SettingsForm = UseFormReturnType<Values>;

export function FieldInput({ field, form }: { field: Field; form: SettingsForm }) {
  const { name, kind, label, says, unit, empty, words } = field;
  const shared = { label, description: says, error: form.errors[name] };
  const value = form.values[name];
  const set = (changed: unknown) => form.setFieldValue(name, changed as never);
  switch (kind) {
    case "switch":
      return (
        <Switch {...shared} checked={value === true} onChange={(event) => set(event.currentTarget.checked)} mt={6} />
      );
    case "number":
      return (
        <NumberInput
          {...shared}
          value={value as number | string}
          onChange={set}
          placeholder={empty}
          suffix={unit && ` ${unit}`}
          allowDecimal={ruleOf("ServiceUpdate", name).type !== "integer"}
          hideControls
        />
      );
    case "choice":
      return (
        <Select
          {...shared}
          data={(ruleOf("ServiceUpdate", name).enum ?? []).map((each) => ({
            value: each,
            label: words?.[each] ?? each,
          }))}
          value={value as string}
          onChange={(chosen) => set(chosen ?? value)}
          allowDeselect={false}
        />
      );
    case "list":
      return (
        <TagsInput
          {...shared}
          value={value as string[]}
          onChange={set}
          placeholder={(value as string[]).length ? undefined : empty}
          splitChars={[",", " "]}
        />
      );
    default:
      return (
        <TextInput
          {...shared}
          value={value as string}
          onChange={(event) => set(event.currentTarget.value)}
          placeholder={empty}
          autoComplete="off"
        />
      );
  }
}
