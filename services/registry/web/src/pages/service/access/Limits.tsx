/** The limits of the whole service and of each token, with what will change before it is saved. */
import { Button, Group, NumberInput, SimpleGrid, Text } from "@mantine/core";
import { useForm } from "@mantine/form";
import { useState } from "react";
import { useChange } from "@/api/queries";
import { validating } from "@/api/rule";
import type { ServiceDetail } from "@/api/schema";
import { differences, patch } from "@/components/changes";
import { number } from "@/components/format";
import { ReviewChanges } from "@/components/ReviewChanges";
import { Section } from "@/components/Section";
import { useMay } from "@/session/session";
import type { TabProps } from "../tabs";

const LABELS = {
  rate_limit: "Requests a minute, in all",
  rate_limit_user_default: "Requests a minute, each token",
  concurrency_limit: "Under way at once, in all",
  concurrency_limit_user_default: "Under way at once, each token",
};
const FIELDS = Object.keys(LABELS) as (keyof typeof LABELS)[];
type Values = Record<keyof typeof LABELS, number | string>;

/** What a form begins with: when it changes, so must the form; nothing else may take away what is typed. */
export function limitsOf(service: ServiceDetail): string {
  return FIELDS.map((field) => service[field]).join();
}

export function Limits({ project, service }: TabProps) {
  const may = useMay(project);
  const [reviewing, setReviewing] = useState(false);
  const form = useForm<Values>({
    initialValues: Object.fromEntries(FIELDS.map((field) => [field, service[field] ?? ""])) as Values,
    validateInputOnChange: true,
    validate: validating("ServiceUpdate", FIELDS),
  });
  const wanted = Object.fromEntries(
    FIELDS.map((field) => [field, form.values[field] === "" ? null : form.values[field]]),
  );
  const save = useChange("PATCH /projects/{project}/services/{service}", {
    quiet: true,
    done: "The limits hold from now on",
    after: () => setReviewing(false),
  });
  const editable = may("services.update", { service: service.name, deployment: service.deployment });
  const changes = differences(service, wanted);
  return (
    <Section title="Limits" says="Above a limit, a caller is answered 429 and told which one and when to try again.">
      {editable ? (
        <form onSubmit={form.onSubmit(() => setReviewing(true))} noValidate>
          <SimpleGrid cols={{ base: 1, sm: 2, lg: 4 }} mb="sm">
            {FIELDS.map((field) => (
              <NumberInput
                key={field}
                label={LABELS[field]}
                placeholder="no limit"
                allowDecimal={false}
                hideControls
                {...form.getInputProps(field)}
              />
            ))}
          </SimpleGrid>
          <Group>
            <Button type="submit" disabled={changes.length === 0}>
              Review and save
            </Button>
          </Group>
        </form>
      ) : (
        FIELDS.map((field) => (
          <Text key={field} size="sm">
            {LABELS[field]}: {service[field] === null ? "no limit" : number(service[field])}
          </Text>
        ))
      )}
      <ReviewChanges
        opened={reviewing}
        changes={changes}
        labels={LABELS}
        saving={save.isPending}
        problem={save.error}
        onSave={() => save.mutate({ path: { project, service: service.name }, body: patch(service, wanted) })}
        onClose={() => setReviewing(false)}
      />
    </Section>
  );
}
