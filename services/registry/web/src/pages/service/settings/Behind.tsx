/** What answers: deployment and version. Another one takes over once it has healthy instances. */
import { Select } from "@mantine/core";
import { useAsk } from "@/api/queries";
import { LabelsInput } from "@/components/LabelsInput";
import { Unread } from "@/components/Unread";
import type { SettingsForm } from "./FieldInput";

export function Behind({ project, form }: { project: string; form: SettingsForm }) {
  const { deployment, version } = form.values;
  const deployments = useAsk("GET /projects/{project}/deployments", { path: { project } });
  const versions = useAsk(
    "GET /projects/{project}/deployments/{deployment}/versions",
    { path: { project, deployment } },
    { enabled: deployment !== "" },
  );
  const names = deployments.data?.map(({ name }) => name) ?? [deployment];
  return (
    <>
      <LabelsInput {...form.getInputProps("labels")} />
      <Select
        label="Deployment"
        data={names.includes(deployment) ? names : [deployment, ...names]}
        searchable
        allowDeselect={false}
        value={deployment}
        onChange={(chosen) => {
          form.setFieldValue("deployment", chosen ?? deployment);
          form.setFieldValue("version", "");
        }}
        error={form.errors.deployment}
      />
      <Select
        label="Version"
        description="One without healthy instances is refused"
        data={[
          { value: "", label: "the deployment's default one" },
          ...(versions.data?.map((each) => each.version) ?? [version].filter(Boolean)),
        ]}
        allowDeselect={false}
        value={version}
        onChange={(chosen) => form.setFieldValue("version", chosen ?? "")}
        error={form.errors.version}
      />
      <Unread of={[deployments, versions]} />
    </>
  );
}
