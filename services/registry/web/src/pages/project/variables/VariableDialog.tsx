/** Adds a variable, or changes one. The value of a secret is written and never read. */
import { Switch, Textarea, TextInput } from "@mantine/core";
import { useForm } from "@mantine/form";
import { useChange } from "@/api/queries";
import { atField, validating } from "@/api/rule";
import type { EnvironmentVariable } from "@/api/schema";
import { FormDialog } from "@/components/FormDialog";
import { type Level, operation, type Where } from "./levels";

const FIELDS = ["name", "value"] as const;

interface Props {
  level: Level;
  path: Where;
  variable: EnvironmentVariable | null; // else a new one
  onClose: () => void;
}

export function VariableDialog({ level, path, variable, onClose }: Props) {
  const form = useForm({
    initialValues: { name: variable?.name ?? "", value: variable?.value ?? "", secret: variable?.secret ?? false },
    validateInputOnChange: true,
    validate: validating("EnvironmentVariableCreate", FIELDS),
  });
  const options = { quiet: true, done: "Saved; instances that are started from now on get it", after: onClose };
  const create = useChange(operation(level, "POST"), options);
  const update = useChange(operation(level, "PATCH"), options);
  const change = variable ? update : create;
  const keeps = variable?.secret && form.values.secret && form.values.value === "";
  const submit = form.onSubmit(({ value, ...rest }) => {
    const body = keeps ? rest : { ...rest, value };
    const refused = atField(form, FIELDS);
    if (variable) update.mutate({ path: { ...path, id: variable.id }, body }, refused);
    else create.mutate({ path, body }, refused);
  });
  return (
    <FormDialog
      opened
      title={variable ? `Edit ${variable.name}` : "Add a variable"}
      action="Save"
      working={change.isPending}
      problem={change.error}
      fields={FIELDS}
      onSubmit={submit}
      onClose={onClose}
    >
      <TextInput
        label="Name"
        required
        data-autofocus
        autoComplete="off"
        spellCheck={false}
        ff="monospace"
        {...form.getInputProps("name")}
      />
      <Textarea
        label="Value"
        description={variable?.secret ? "Left empty: it stays as it is" : undefined}
        autosize
        minRows={2}
        maxRows={10}
        spellCheck={false}
        {...form.getInputProps("value")}
      />
      <Switch
        label="Secret"
        description="Stored sealed, and never shown again"
        {...form.getInputProps("secret", { type: "checkbox" })}
      />
    </FormDialog>
  );
}
