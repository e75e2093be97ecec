/** A new service: a short form, checked by the API's rules while it is typed. */
import {
  Button,
  Card,
  Collapse,
  Group,
  NumberInput,
  Select,
  SimpleGrid,
  Stack,
  Switch,
  Text,
  TextInput,
} from "@mantine/core";
import { useForm } from "@mantine/form";
import { useDisclosure } from "@mantine/hooks";
import { ChevronDown, ChevronRight } from "lucide-react";
import { useLocation, useParams } from "wouter";
import { useAsk, useChange } from "@/api/queries";
import { atField, validating } from "@/api/rule";
import type { ServiceCreate } from "@/api/schema";
import { LabelsInput } from "@/components/LabelsInput";
import { labelProblem, labelsOf } from "@/components/labels";
import { PageHead } from "@/components/PageHead";
import { Refusal } from "@/components/Refusal";
import { Unread } from "@/components/Unread";

const FIELDS = [
  "name",
  "deployment",
  "version",
  "port",
  "description",
  "labels",
  "rate_limit",
  "rate_limit_user_default",
  "concurrency_limit",
  "concurrency_limit_user_default",
] as const;
const DEFAULT = "";

const EMPTY = {
  name: "",
  deployment: "",
  version: DEFAULT,
  port: 8080 as number | string,
  description: "",
  labels: [] as string[],
  authentication_required: true,
  rate_limit: "" as number | string,
  rate_limit_user_default: "" as number | string,
  concurrency_limit: "" as number | string,
  concurrency_limit_user_default: "" as number | string,
};
type Values = typeof EMPTY;

export default function CreateServicePage() {
  const { project = "" } = useParams();
  const [, go] = useLocation();
  const [limits, { toggle }] = useDisclosure();
  const here = `/projects/${project}/services`;
  const form = useServiceForm();
  const create = useChange("POST /projects/{project}/services", {
    quiet: true,
    done: (made) => `${made.name} is made`,
    after: (made) => go(`${here}/${made.name}/call`),
  });
  const submit = form.onSubmit((values) =>
    create.mutate({ path: { project }, body: asBody(values) }, atField(form, FIELDS)),
  );
  return (
    <>
      <PageHead title="Create a service" path={[{ label: "Services", href: here }]} />
      <Card withBorder maw={720} component="form" onSubmit={submit} noValidate>
        <Stack>
          <TextInput
            label="Name"
            description="In this project; the address does not depend on it"
            required
            data-autofocus
            autoComplete="off"
            {...form.getInputProps("name")}
          />
          <Behind project={project} form={form} />
          <NumberInput
            label="Port"
            description="Where the instances listen"
            required
            allowDecimal={false}
            hideControls
            {...form.getInputProps("port")}
          />
          <Switch
            label="Callers need a token"
            description="Off: everybody who reaches the address may call it. An installation allows that or not."
            {...form.getInputProps("authentication_required", { type: "checkbox" })}
          />
          <TextInput label="Description" {...form.getInputProps("description")} />
          <LabelsInput {...form.getInputProps("labels")} />
          <Button
            variant="subtle"
            size="compact-sm"
            ml={-8}
            onClick={toggle}
            aria-expanded={limits}
            style={{ alignSelf: "flex-start" }}
            leftSection={limits ? <ChevronDown size={16} /> : <ChevronRight size={16} />}
          >
            Limits
          </Button>
          <Collapse expanded={limits}>
            <SimpleGrid cols={{ base: 1, sm: 2 }}>
              <NumberInput label="Requests a minute, in all" {...optional} {...form.getInputProps("rate_limit")} />
              <NumberInput
                label="Requests a minute, each token"
                {...optional}
                {...form.getInputProps("rate_limit_user_default")}
              />
              <NumberInput
                label="Under way at once, in all"
                {...optional}
                {...form.getInputProps("concurrency_limit")}
              />
              <NumberInput
                label="Under way at once, each token"
                {...optional}
                {...form.getInputProps("concurrency_limit_user_default")}
              />
            </SimpleGrid>
          </Collapse>
          <Refusal of={create.error} fields={FIELDS} title="The service was not made" />
          <Group>
            <Button type="submit" loading={create.isPending}>
              Create
            </Button>
            <Button variant="default" onClick={() => go(here)}>
              Cancel
            </Button>
          </Group>
        </Stack>
      </Card>
    </>
  );
}

function useServiceForm() {
  return useForm<Values>({
    initialValues: EMPTY,
    validateInputOnChange: true,
    validate: {
      ...validating("ServiceCreate", FIELDS),
      deployment: (value) => (value ? null : "must be given"),
      labels: labelProblem,
    },
  });
}

const optional = { placeholder: "no limit", allowDecimal: false, hideControls: true };

/** The deployment, and which of its versions: as a rule the default one, whichever that is. */
function Behind({ project, form }: { project: string; form: ReturnType<typeof useServiceForm> }) {
  const { deployment } = form.values;
  const deployments = useAsk("GET /projects/{project}/deployments", { path: { project } });
  const versions = useAsk(
    "GET /projects/{project}/deployments/{deployment}/versions",
    { path: { project, deployment } },
    { enabled: deployment !== "" },
  );
  const names = deployments.data?.map(({ name }) => name) ?? [];
  const chosen = deployments.data?.find(({ name }) => name === deployment);
  return (
    <SimpleGrid cols={{ base: 1, sm: 2 }}>
      <Select
        label="Deployment"
        description="What answers"
        required
        searchable
        data={names}
        nothingFoundMessage="No such deployment"
        placeholder={deployments.data?.length === 0 ? "There is none yet" : "Choose one"}
        {...form.getInputProps("deployment")}
        onChange={(name) => {
          form.setFieldValue("deployment", name ?? "");
          form.setFieldValue("version", DEFAULT);
        }}
      />
      <Select
        label="Version"
        description="Of the deployment"
        disabled={!deployment}
        allowDeselect={false}
        data={[
          {
            value: DEFAULT,
            label: chosen?.default_version ? `the default one, now ${chosen.default_version}` : "the default one",
          },
          ...(versions.data?.map(({ version }) => version) ?? []),
        ]}
        {...form.getInputProps("version")}
      />
      <Unread of={[deployments, versions]} />
      {deployments.data?.length === 0 && (
        <Text size="sm" style={{ gridColumn: "1 / -1" }}>
          A service stands on a deployment. <code>narthex run NAME --port 9000 -- COMMAND</code> starts one with its
          instances, or make one under Deployments.
        </Text>
      )}
    </SimpleGrid>
  );
}

/** What is sent: without what was left empty. */
function asBody({ labels, version, ...values }: Values): ServiceCreate {
  const given = Object.entries(values).filter(([, value]) => value !== "");
  return {
    ...(Object.fromEntries(given) as Omit<Values, "labels" | "version">),
    ...(version !== DEFAULT && { version }),
    ...(labels.length > 0 && { labels: labelsOf(labels) }),
  } as ServiceCreate;
}
