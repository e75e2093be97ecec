/** Makes a version of a deployment. */
import { Divider } from "@mantine/core";
import { useForm } from "@mantine/form";
import { useLocation } from "wouter";
import { useChange } from "@/api/queries";
import { atField } from "@/api/rule";
import { FormDialog } from "@/components/FormDialog";
import { General, Health, Retention } from "./Fields";
import { OWN, PROBE, problems, type Values, valuesOf, wanted } from "./values";

const FIELDS = [...OWN, ...PROBE];

export function VersionDialog({
  project,
  deployment,
  onClose,
}: {
  project: string;
  deployment: string;
  onClose: () => void;
}) {
  const [, go] = useLocation();
  const form = useForm<Values>({ initialValues: valuesOf(null), validateInputOnChange: true, validate: problems });
  const create = useChange("POST /projects/{project}/deployments/{deployment}/versions", {
    quiet: true,
    done: ({ version }) => `${version} is made`,
    after: ({ version }) => go(`/projects/${project}/deployments/${deployment}/versions/${version}`),
  });
  const submit = form.onSubmit((values) =>
    create.mutate(
      { path: { project, deployment }, body: { ...wanted(values, null), version: values.version } },
      atField(form, FIELDS),
    ),
  );
  return (
    <FormDialog
      opened
      title={`Create a version of ${deployment}`}
      action="Create"
      working={create.isPending}
      problem={create.error}
      fields={FIELDS}
      failed="The version was not made"
      onSubmit={submit}
      onClose={onClose}
    >
      <General form={form} />
      <Divider label="Requests" />
      <Retention form={form} />
      <Divider label="Health check" />
      <Health form={form} />
    </FormDialog>
  );
}
