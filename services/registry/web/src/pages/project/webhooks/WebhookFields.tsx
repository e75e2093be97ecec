/** The settings of a webhook in a form. What it is about is fixed once it is made. */
import { Group, NumberInput, Select, SimpleGrid, Stack, Switch, Text, TextInput } from "@mantine/core";
import type { UseFormReturnType } from "@mantine/form";
import { useAsk } from "@/api/queries";
import { LabelsInput } from "@/components/LabelsInput";
import { AddLine, RemoveLine } from "@/components/Lines";
import { Unread } from "@/components/Unread";
import { EVENTS, type ObjectType } from "./events";
import { ANY, type Values } from "./values";

type Form = UseFormReturnType<Values>;

const MOST_HEADERS = 20;

export function WebhookFields({ project, form, made }: { project: string; form: Form; made: boolean }) {
  const { object_type: type } = form.values;
  return (
    <Stack>
      <TextInput label="Name" required data-autofocus autoComplete="off" {...form.getInputProps("name")} />
      <TextInput
        label="Address"
        description="It is sent a POST with JSON, signed as Standard Webhooks says"
        placeholder="https://"
        required
        {...form.getInputProps("url")}
      />
      {!made && <About project={project} form={form} />}
      <Select
        label="When"
        data={EVENTS[type]}
        allowDeselect={false}
        renderOption={({ option }) => (
          <Stack gap={0}>
            <Text size="sm">{option.label}</Text>
            <Text size="xs" c="dimmed" ff="monospace">
              {option.value}
            </Text>
          </Stack>
        )}
        {...form.getInputProps("event")}
      />
      <TextInput label="Description" {...form.getInputProps("description")} />
      <LabelsInput {...form.getInputProps("labels")} />
      <NumberInput
        label="Answers within, in seconds"
        hideControls
        allowDecimal={false}
        w={{ base: "100%", xs: 220 }}
        {...form.getInputProps("timeout")}
      />
      <Headers form={form} />
      <Switch label="Try again when a call fails" {...form.getInputProps("retry", { type: "checkbox" })} />
      <Switch label="Enabled" {...form.getInputProps("enabled", { type: "checkbox" })} />
      {type === "deployment" && (
        <Switch
          label="With the request's result"
          description="Where the version keeps it"
          {...form.getInputProps("include_result", { type: "checkbox" })}
        />
      )}
    </Stack>
  );
}

function About({ project, form }: { project: string; form: Form }) {
  const { object_type: type, object_name: name } = form.values;
  const deployments = useAsk(
    "GET /projects/{project}/deployments",
    { path: { project } },
    { enabled: type === "deployment" },
  );
  const services = useAsk(
    "GET /projects/{project}/services",
    { path: { project }, query: { detail: false } },
    { enabled: type === "service" },
  );
  const versions = useAsk(
    "GET /projects/{project}/deployments/{deployment}/versions",
    { path: { project, deployment: name } },
    { enabled: type === "deployment" && name !== ANY },
  );
  const names = (type === "deployment" ? deployments : services).data?.map(({ name }) => name) ?? [];
  const change = (value: string | null) => {
    const chosen = (value ?? "service") as ObjectType;
    form.setValues({ object_type: chosen, object_name: ANY, version: "", event: EVENTS[chosen][0]?.value ?? "" });
  };
  return (
    <>
      <Unread of={[deployments, services, versions]} />
      <SimpleGrid cols={{ base: 1, sm: type === "deployment" && name !== ANY ? 3 : 2 }}>
        <Select
          label="About"
          data={[
            { value: "service", label: "services" },
            { value: "deployment", label: "requests to deployments" },
          ]}
          allowDeselect={false}
          value={type}
          onChange={change}
        />
        <Select
          label="Which"
          data={[{ value: ANY, label: `all ${type}s` }, ...names]}
          searchable
          limit={100}
          allowDeselect={false}
          {...form.getInputProps("object_name")}
          onChange={(value) => form.setValues({ object_name: value ?? ANY, version: "" })}
        />
        {type === "deployment" && name !== ANY && (
          <Select
            label="Version"
            data={[{ value: "", label: "all of them" }, ...(versions.data?.map(({ version }) => version) ?? [])]}
            allowDeselect={false}
            {...form.getInputProps("version")}
          />
        )}
      </SimpleGrid>
    </>
  );
}

function Headers({ form }: { form: Form }) {
  const { headers } = form.values;
  return (
    <Stack gap="xs" role="group" aria-label="Headers of the calls">
      <Text size="sm" fw={500}>
        Headers of the calls
      </Text>
      {headers.map((_, number) => (
        <Group key={number} gap="xs" align="flex-start">
          <TextInput
            aria-label={`Header ${number + 1}: name`}
            placeholder="Name"
            w={160}
            {...form.getInputProps(`headers.${number}.key`)}
          />
          <TextInput
            aria-label={`Header ${number + 1}: value`}
            placeholder="Value"
            flex={1}
            miw={140}
            autoComplete="off"
            {...form.getInputProps(`headers.${number}.value`)}
          />
          <Switch label="secret" mt={8} {...form.getInputProps(`headers.${number}.protected`, { type: "checkbox" })} />
          <RemoveLine label={`Remove header ${number + 1}`} onClick={() => form.removeListItem("headers", number)} />
        </Group>
      ))}
      {headers.length < MOST_HEADERS && (
        <AddLine onClick={() => form.insertListItem("headers", { key: "", value: "", protected: false })}>
          Add a header
        </AddLine>
      )}
    </Stack>
  );
}
