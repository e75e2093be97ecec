/** Makes a service user with a first role, or changes one. The token of a new one is shown once. */
import { Button, Group, Modal, Select, Stack, Textarea, TextInput } from "@mantine/core";
import { useForm } from "@mantine/form";
import { useMutation } from "@tanstack/react-query";
import { useState } from "react";
import { ask } from "@/api/client";
import type { ApiProblem } from "@/api/problem";
import { queries, useAsk, useChange } from "@/api/queries";
import { atField, validating } from "@/api/rule";
import type { ServiceUserDetail } from "@/api/schema";
import { FormDialog } from "@/components/FormDialog";
import { endOf, FOR_EVER, LENGTHS } from "@/components/lengths";
import { toldProblem } from "@/components/notices";
import { ShownOnce } from "@/components/ShownOnce";
import { Unread } from "@/components/Unread";
import { useMay } from "@/session/session";

const UNCHANGED = "as before";
const CHOICES = [FOR_EVER, ...LENGTHS];
const FIELDS = ["name", "description"] as const;

interface Props {
  project: string;
  user: ServiceUserDetail | null; // else a new one
  onClose: () => void;
}

export function ServiceUserDialog({ project, user, onClose }: Props) {
  const may = useMay(project);
  const [token, setToken] = useState<string | null>(null);
  const giving = user === null && may("roles.assignments.create");
  const roles = useAsk("GET /projects/{project}/roles", { path: { project } }, { enabled: giving });
  const form = useForm({
    initialValues: {
      name: user?.name ?? "",
      description: user?.description ?? "",
      length: user ? UNCHANGED : "",
      role: "",
    },
    validateInputOnChange: true,
    validate: {
      ...validating("ServiceUserCreate", FIELDS),
      name: (value) => (value.trim() ? null : "must be given"),
    },
  });
  type Values = typeof form.values;
  const refused = atField(form, FIELDS);
  const create = useMutation<string, ApiProblem, Values>({
    mutationFn: async ({ name, description, length, role }) => {
      const body = { name, description, expiry_date: endOf(length) };
      const made = await ask("POST /projects/{project}/service-users", { path: { project }, body });
      if (role) await give(made.id, role);
      return made.token;
    },
    onSuccess: setToken,
    ...refused,
    onSettled: () => void queries.invalidateQueries(),
  });
  // The service user is there already: its token is shown all the same.
  const give = (assignee: string, role: string) =>
    ask("POST /projects/{project}/role-assignments", { path: { project }, body: { role, assignee } }).catch((problem) =>
      toldProblem(problem, "It is made, but the role was not given"),
    );
  const update = useChange("PATCH /projects/{project}/service-users/{user}", {
    quiet: true,
    done: "Saved",
    after: onClose,
  });
  const submit = form.onSubmit((values) => {
    if (user === null) return create.mutate(values);
    const { name, description, length } = values;
    const body = { name, description, ...(length !== UNCHANGED && { expiry_date: endOf(length) }) };
    update.mutate({ path: { project, user: user.id }, body }, refused);
  });
  if (token !== null) return <Made name={form.values.name} token={token} onClose={onClose} />;
  return (
    <FormDialog
      opened
      title={user ? `Edit ${user.name ?? user.email}` : "Create a service user"}
      action={user ? "Save" : "Create"}
      size="md"
      working={create.isPending || update.isPending}
      problem={user ? update.error : create.error}
      fields={FIELDS}
      onSubmit={submit}
      onClose={onClose}
    >
      <TextInput label="Name" required data-autofocus autoComplete="off" {...form.getInputProps("name")} />
      <Textarea label="Description" autosize minRows={2} {...form.getInputProps("description")} />
      <Select
        label="Works for"
        data={user ? [{ value: UNCHANGED, label: UNCHANGED }, ...CHOICES] : CHOICES}
        allowDeselect={false}
        {...form.getInputProps("length")}
      />
      {giving && (
        <Select
          label="Role in this project"
          description="More, or on one service alone, under Members"
          data={[{ value: "", label: "none yet" }, ...(roles.data?.map(({ name }) => name) ?? [])]}
          allowDeselect={false}
          searchable
          {...form.getInputProps("role")}
        />
      )}
      <Unread of={[roles]} />
    </FormDialog>
  );
}

export function Made({ name, token, onClose }: { name: string; token: string; onClose: () => void }) {
  return (
    <Modal opened onClose={onClose} title={`The token of ${name}`} closeOnClickOutside={false} size="lg">
      <Stack>
        <ShownOnce value={token} />
        <Group justify="flex-end">
          <Button onClick={onClose} data-autofocus>
            I have copied it
          </Button>
        </Group>
      </Stack>
    </Modal>
  );
}
