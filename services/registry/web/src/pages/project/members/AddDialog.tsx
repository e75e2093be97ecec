/** Lets somebody into a project, with a role; who is not in the organization yet is taken in first. */
import { Autocomplete, Select, Text } from "@mantine/core";
import { useForm } from "@mantine/form";
import { useMutation } from "@tanstack/react-query";
import { ask } from "@/api/client";
import type { ApiProblem } from "@/api/problem";
import { queries, useAsk } from "@/api/queries";
import { FormDialog } from "@/components/FormDialog";
import { told } from "@/components/notices";
import { Unread } from "@/components/Unread";
import { useMay } from "@/session/session";

const USUAL = "project-viewer";

export function AddDialog({ project, onClose }: { project: string; onClose: () => void }) {
  const may = useMay(project);
  const owner = useAsk("GET /projects/{project}", { path: { project } });
  const organization = owner.data?.organization_name ?? "";
  const known = useAsk(
    "GET /organizations/{organization}/users",
    { path: { organization } },
    { enabled: organization !== "" },
  );
  const giving = may("roles.assignments.create");
  const roles = useAsk("GET /projects/{project}/roles", { path: { project } }, { enabled: giving });
  const form = useForm({
    initialValues: { email: "", role: USUAL },
    validate: { email: (text) => (/^\S+@\S+$/.test(text.trim()) ? null : "must be an e-mail address") },
  });
  const add = useMutation<void, ApiProblem, { email: string; role: string }>({
    mutationFn: async ({ email: typed, role }) => {
      const email = typed.trim().toLowerCase();
      const there = known.data?.find((user) => user.email === email);
      const user =
        there ?? (await ask("POST /organizations/{organization}/users", { path: { organization }, body: { email } }));
      await ask("POST /projects/{project}/users", { path: { project }, body: { user_id: user.id } });
      if (!giving || !role) return;
      await ask("POST /projects/{project}/role-assignments", { path: { project }, body: { role, assignee: user.id } });
    },
    onSuccess: (_, { email }) => {
      told(`${email.trim()} is a member`);
      onClose();
    },
    onSettled: () => void queries.invalidateQueries(),
  });
  return (
    <FormDialog
      opened
      title="Add somebody"
      action="Add"
      size="md"
      working={add.isPending}
      problem={add.error}
      failed="Not all of it was done"
      onSubmit={form.onSubmit((values) => add.mutate(values))}
      onClose={onClose}
    >
      <Autocomplete
        label="E-mail"
        required
        data-autofocus
        openOnFocus={false}
        data={known.data?.map(({ email }) => email) ?? []}
        {...form.getInputProps("email")}
      />
      {giving && (
        <Select
          label="Role in this project"
          data={[{ value: "", label: "none yet" }, ...(roles.data?.map(({ name }) => name) ?? [USUAL])]}
          allowDeselect={false}
          searchable
          {...form.getInputProps("role")}
        />
      )}
      <Unread of={[owner, known, roles]} />
      <Text size="xs" c="dimmed">
        Who has no account yet gets one; an administrator gives it a password, or single sign-on does.
      </Text>
    </FormDialog>
  );
}
