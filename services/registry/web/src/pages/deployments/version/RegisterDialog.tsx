/** Registers an instance by hand: an address that answers, for as long as nobody removes it. */
import { NumberInput, TextInput } from "@mantine/core";
import { useForm } from "@mantine/form";
import { useChange } from "@/api/queries";
import { atField, validating } from "@/api/rule";
import { FormDialog } from "@/components/FormDialog";

const FIELDS = ["address", "port", "weight"] as const;

interface Props {
  path: { project: string; deployment: string; version: string };
  onClose: () => void;
}

export function RegisterDialog({ path, onClose }: Props) {
  const form = useForm({
    initialValues: { address: "", port: "" as number | string, weight: 100 as number | string },
    validateInputOnChange: true,
    validate: validating("InstanceCreate", FIELDS),
  });
  const register = useChange("POST /projects/{project}/deployments/{deployment}/versions/{version}/instances", {
    quiet: true,
    done: ({ address }) => `${address} is registered; requests go there once it is healthy`,
    after: onClose,
  });
  const submit = form.onSubmit(({ address, port, weight }) =>
    register.mutate(
      {
        path,
        body: { address, port: port === "" ? null : Number(port), ...(weight !== "" && { weight: Number(weight) }) },
      },
      atField(form, FIELDS),
    ),
  );
  return (
    <FormDialog
      opened
      title="Register an instance"
      action="Register"
      working={register.isPending}
      problem={register.error}
      fields={FIELDS}
      failed="The instance was not registered"
      onSubmit={submit}
      onClose={onClose}
    >
      <TextInput
        label="Address"
        description="An IP address that routers and health workers reach"
        required
        data-autofocus
        autoComplete="off"
        {...form.getInputProps("address")}
      />
      <NumberInput
        label="Port"
        description="Empty: the service's"
        hideControls
        allowDecimal={false}
        {...form.getInputProps("port")}
      />
      <NumberInput
        label="Weight"
        description="Its share of the requests, beside the others'"
        hideControls
        allowDecimal={false}
        {...form.getInputProps("weight")}
      />
    </FormDialog>
  );
}
