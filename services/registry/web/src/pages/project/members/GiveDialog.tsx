/** Gives somebody, or a program, a role on the project or on a part of it. */
import { Select } from "@mantine/core";
import { useForm } from "@mantine/form";
import { useAsk, useChange } from "@/api/queries";
import { FormDialog } from "@/components/FormDialog";
import { Unread } from "@/components/Unread";
import type { Assignee } from "../../service/access/useAssignees";

const WHERE = [
  { value: "project", label: "the whole project" },
  { value: "deployment", label: "one deployment" },
  { value: "service", label: "one service" },
];

interface Props {
  project: string;
  assignees: Assignee[];
  onClose: () => void;
}

export function GiveDialog({ project, assignees, onClose }: Props) {
  const given = (value: string) => (value ? null : "must be given");
  const form = useForm({
    initialValues: { assignee: "", role: "", on: "project", resource: "" },
    validate: {
      assignee: given,
      role: given,
      resource: (value, { on }) => (on === "project" ? null : given(value)),
    },
  });
  const { on } = form.values;
  const roles = useAsk("GET /projects/{project}/roles", { path: { project } });
  const deployments = useAsk(
    "GET /projects/{project}/deployments",
    { path: { project } },
    { enabled: on === "deployment" },
  );
  const services = useAsk(
    "GET /projects/{project}/services",
    { path: { project }, query: { detail: false } },
    { enabled: on === "service" },
  );
  const names = (on === "deployment" ? deployments : services).data?.map(({ name }) => name) ?? [];
  const give = useChange("POST /projects/{project}/role-assignments", {
    quiet: true,
    done: "The role is given",
    after: onClose,
  });
  const submit = form.onSubmit(({ assignee, role, resource }) =>
    give.mutate({
      path: { project },
      body: { assignee, role, ...(on !== "project" && { resource, resource_type: on }) },
    }),
  );
  return (
    <FormDialog
      opened
      title="Give a role"
      action="Give"
      size="md"
      working={give.isPending}
      problem={give.error}
      failed="The role was not given"
      onSubmit={submit}
      onClose={onClose}
    >
      <Select
        label="Who"
        required
        searchable
        data-autofocus
        openOnFocus={false}
        data={assignees.map(({ id, label }) => ({ value: id, label }))}
        {...form.getInputProps("assignee")}
      />
      <Select
        label="Role"
        required
        searchable
        data={roles.data?.map(({ name }) => name) ?? []}
        {...form.getInputProps("role")}
      />
      <Select
        label="On"
        data={WHERE}
        allowDeselect={false}
        {...form.getInputProps("on")}
        onChange={(value) => form.setValues({ on: value ?? "project", resource: "" })}
      />
      {on !== "project" && (
        <Select
          label={on === "deployment" ? "Deployment" : "Service"}
          required
          searchable
          data={names}
          limit={100}
          {...form.getInputProps("resource")}
          value={form.values.resource || null}
        />
      )}
      <Unread of={[roles, deployments, services]} />
    </FormDialog>
  );
}
