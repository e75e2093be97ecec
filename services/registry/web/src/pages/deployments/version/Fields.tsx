/** The settings of a version in a form: what it is called, what is kept of its requests, how its health is checked. */
import { NumberInput, Select, SimpleGrid, Stack, Switch, TextInput } from "@mantine/core";
import type { UseFormReturnType } from "@mantine/form";
import { many, seconds } from "@/components/format";
import { LabelsInput } from "@/components/LabelsInput";
import type { Values } from "./values";

type Form = UseFormReturnType<Values>;

const DAY_S = 86_400;
const KEPT = [
  { value: "none", label: "nothing" },
  { value: "metadata", label: "path, status, times (metadata)" },
  { value: "full", label: "headers and bodies, too (full)" },
];
const PROBES = [
  { value: "", label: "HTTP where a path is given, else a connection" },
  { value: "http", label: "HTTP" },
  { value: "tcp", label: "a connection (TCP)" },
  { value: "grpc", label: "gRPC health" },
];

export function General({ form }: { form: Form }) {
  return (
    <Stack>
      <TextInput label="Name" required autoComplete="off" data-autofocus {...form.getInputProps("version")} />
      <TextInput label="Description" {...form.getInputProps("description")} />
      <LabelsInput {...form.getInputProps("labels")} />
    </Stack>
  );
}

export function Retention({ form }: { form: Form }) {
  return (
    <SimpleGrid cols={{ base: 1, sm: 2 }}>
      <Select
        label="What is kept of requests"
        data={KEPT}
        allowDeselect={false}
        {...form.getInputProps("request_retention_mode")}
      />
      <NumberInput
        label="For how long"
        description={`In seconds${lengthInWords(form.values.request_retention_time)}`}
        inputWrapperOrder={["label", "input", "description", "error"]}
        hideControls
        allowDecimal={false}
        {...form.getInputProps("request_retention_time")}
      />
    </SimpleGrid>
  );
}

/** ": 7 days" */
function lengthInWords(typed: number | string): string {
  const length = Number(typed);
  if (length <= 0) return "";
  return `: ${length < DAY_S ? seconds(length) : many(length / DAY_S, "day")}`;
}

export function Health({ form }: { form: Form }) {
  const { type, path, tls } = form.values;
  const http = type === "http" || (type === "" && path !== "");
  const count = { hideControls: true, allowDecimal: false, placeholder: "as usual" };
  return (
    <Stack>
      <SimpleGrid cols={{ base: 1, sm: 2 }}>
        <Select label="What is asked" data={PROBES} allowDeselect={false} {...form.getInputProps("type")} />
        {type === "grpc" ? (
          <TextInput label="gRPC service" placeholder="the server as a whole" {...form.getInputProps("grpc_service")} />
        ) : (
          type !== "tcp" && <TextInput label="Path" placeholder="/health" {...form.getInputProps("path")} />
        )}
        <NumberInput label="Port" {...count} placeholder="the instance's" {...form.getInputProps("port")} />
        {http && (
          <>
            <Select
              label="Method"
              data={["GET", "HEAD"]}
              clearable
              placeholder="GET"
              {...form.getInputProps("method")}
              value={form.values.method || null}
              onChange={(value) => form.setFieldValue("method", value ?? "")}
            />
            <TextInput label="Healthy statuses" placeholder="e.g. 200-399" {...form.getInputProps("expected_status")} />
          </>
        )}
        <NumberInput label="Every, in seconds" {...count} {...form.getInputProps("interval")} />
        <NumberInput label="Answers within, in seconds" {...count} {...form.getInputProps("timeout")} />
        <NumberInput label="Unhealthy after failures" {...count} {...form.getInputProps("failure_threshold")} />
        <NumberInput label="Healthy after successes" {...count} {...form.getInputProps("success_threshold")} />
      </SimpleGrid>
      {type !== "tcp" && (
        <>
          <Switch label="Over TLS" {...form.getInputProps("tls", { type: "checkbox" })} />
          {tls && (
            <Switch label="Its certificate must be good" {...form.getInputProps("tls_verify", { type: "checkbox" })} />
          )}
        </>
      )}
    </Stack>
  );
}
