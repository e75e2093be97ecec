/** Makes a deployment, or changes one's name, description and labels. */
import { TextInput } from "@mantine/core";
import { useForm } from "@mantine/form";
import { useChange } from "@/api/queries";
import { atField, validating } from "@/api/rule";
import type { DeploymentDetail } from "@/api/schema";
import { patch } from "@/components/changes";
import { FormDialog } from "@/components/FormDialog";
import { LabelsInput } from "@/components/LabelsInput";
import { labelProblem, labelsOf, textsOf } from "@/components/labels";

const FIELDS = ["name", "description", "labels"] as const;

interface Props {
  project: string;
  deployment?: DeploymentDetail; // else a new one
  onClose: () => void;
  onSaved: (deployment: DeploymentDetail) => void;
}

export function DeploymentDialog({ project, deployment, onClose, onSaved }: Props) {
  const form = useForm({
    initialValues: {
      name: deployment?.name ?? "",
      description: deployment?.description ?? "",
      labels: textsOf(deployment?.labels ?? {}),
    },
    validateInputOnChange: true,
    validate: { ...validating("DeploymentCreate", ["name", "description"]), labels: labelProblem },
  });
  const options = {
    quiet: true,
    after: (saved: DeploymentDetail) => {
      onClose();
      onSaved(saved);
    },
  };
  const create = useChange("POST /projects/{project}/deployments", {
    ...options,
    done: (made) => `${made.name} is made`,
  });
  const update = useChange("PATCH /projects/{project}/deployments/{deployment}", { ...options, done: "Saved" });
  const change = deployment ? update : create;
  const submit = form.onSubmit(({ labels, ...values }) => {
    const wanted = { ...values, labels: labelsOf(labels) };
    const refused = atField(form, FIELDS);
    if (deployment) {
      update.mutate({ path: { project, deployment: deployment.name }, body: patch(deployment, wanted) }, refused);
    } else create.mutate({ path: { project }, body: { ...wanted, supports_request_format: false } }, refused);
  });
  return (
    <FormDialog
      opened
      title={deployment ? `Edit ${deployment.name}` : "Create a deployment"}
      action={deployment ? "Save" : "Create"}
      working={change.isPending}
      problem={change.error}
      fields={FIELDS}
      onSubmit={submit}
      onClose={onClose}
    >
      <TextInput label="Name" required data-autofocus autoComplete="off" {...form.getInputProps("name")} />
      <TextInput label="Description" {...form.getInputProps("description")} />
      <LabelsInput {...form.getInputProps("labels")} />
    </FormDialog>
  );
}
