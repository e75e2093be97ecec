/** Makes a role of one's own permissions, or changes one for everybody who has it. */
import { TextInput } from "@mantine/core";
import { useForm } from "@mantine/form";
import { useLocation } from "wouter";
import { useAsk, useChange } from "@/api/queries";
import { atField, validating } from "@/api/rule";
import type { RoleDetail } from "@/api/schema";
import { patch } from "@/components/changes";
import { FormDialog } from "@/components/FormDialog";
import { Unread } from "@/components/Unread";
import { useMay } from "@/session/session";
import { Matrix } from "./Matrix";

const FIELDS = ["name"] as const;

interface Props {
  project: string;
  edited: RoleDetail | null; // else a new one
  onClose: () => void;
}

export function RoleDialog({ project, edited: role, onClose }: Props) {
  const [, go] = useLocation();
  const may = useMay(project);
  const permissions = useAsk("GET /permissions", {});
  const form = useForm({
    initialValues: { name: role?.name ?? "", permissions: role?.permissions ?? [] },
    validateInputOnChange: true,
    validate: validating("RoleCreate", FIELDS),
  });
  const options = {
    quiet: true,
    after: ({ name }: RoleDetail) => {
      onClose();
      go(`/projects/${project}/roles/${name}`, { replace: role !== null });
    },
  };
  const create = useChange("POST /projects/{project}/roles", { ...options, done: (made) => `${made.name} is made` });
  const update = useChange("PATCH /projects/{project}/roles/{role}", {
    ...options,
    done: "Saved, for everybody who has it",
  });
  const change = role ? update : create;
  const submit = form.onSubmit((values) => {
    const refused = atField(form, FIELDS);
    if (role) update.mutate({ path: { project, role: role.name }, body: patch(role, values) }, refused);
    else create.mutate({ path: { project }, body: values }, refused);
  });
  const all = permissions.data?.map(({ name }) => name) ?? [];
  const offered = all.filter((name) => may(name) || role?.permissions.includes(name));
  return (
    <FormDialog
      opened
      title={role ? `Edit ${role.name}` : "Create a role"}
      action={role ? "Save" : "Create"}
      size="xl"
      working={change.isPending}
      problem={change.error}
      fields={FIELDS}
      onSubmit={submit}
      onClose={onClose}
    >
      <TextInput label="Name" required data-autofocus autoComplete="off" {...form.getInputProps("name")} />
      <Matrix
        all={offered}
        held={form.values.permissions}
        onChange={(held) => form.setFieldValue("permissions", held)}
      />
      <Unread of={[permissions]} title="The permissions could not be read" />
    </FormDialog>
  );
}
