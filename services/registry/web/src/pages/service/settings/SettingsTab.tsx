/** All settings of a service. What will change is shown before it is saved, and a change by somebody else is noticed. */
import { Alert, Button, Group, Stack } from "@mantine/core";
import { useForm } from "@mantine/form";
import { useMutation, useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { useLocation } from "wouter";
import { type Answered, ask, askFully } from "@/api/client";
import type { ApiProblem } from "@/api/problem";
import { queries } from "@/api/queries";
import { broken, fieldErrors, ruleOf } from "@/api/rule";
import type { ServiceDetail } from "@/api/schema";
import { differences, patch } from "@/components/changes";
import { Loaded } from "@/components/Loaded";
import { labelProblem } from "@/components/labels";
import { told } from "@/components/notices";
import { ReviewChanges } from "@/components/ReviewChanges";
import type { TabProps } from "../tabs";
import { Behind } from "./Behind";
import { Cors } from "./Cors";
import { FieldInput } from "./FieldInput";
import { fields, groups, labels } from "./fields";
import { Group as Grouped } from "./Group";
import { Jwt } from "./Jwt";
import { type Values, valuesOf, wanted } from "./values";

const ONE = "/projects/{project}/services/{service}";

/** The revision that is edited is fixed when the form opens: what others change meanwhile must not slip under it. */
export default function SettingsTab({ project, service }: TabProps) {
  const opened = useQuery<Answered<ServiceDetail>, ApiProblem>({
    queryKey: ["settings", project, service.id],
    queryFn: () => askFully(`GET ${ONE}`, { path: { project, service: service.name } }),
    staleTime: Infinity,
    gcTime: 0,
    refetchOnWindowFocus: false,
  });
  const again = () => void opened.refetch();
  return (
    <Loaded of={opened} title="The settings could not be shown" lines={8}>
      {({ answer, etag }) => (
        <Stack>
          {service.time_updated !== answer.time_updated && (
            <Alert color="yellow" title="Changed meanwhile">
              Somebody changed this service since you opened its settings.{" "}
              <Button size="compact-xs" variant="default" onClick={again}>
                Show them as they are now
              </Button>
            </Alert>
          )}
          <Form key={etag} project={project} service={answer} etag={etag} onSaved={again} />
        </Stack>
      )}
    </Loaded>
  );
}

interface FormProps extends TabProps {
  etag: string;
  onSaved: () => void;
}

function Form({ project, service, etag, onSaved }: FormProps) {
  const [, go] = useLocation();
  const [reviewing, setReviewing] = useState(false);
  const form = useForm<Values>({ initialValues: valuesOf(service), validateInputOnChange: true, validate: problems });
  const target = wanted(form.values, service);
  const changes = differences(service as object, target);
  const save = useMutation<ServiceDetail, ApiProblem>({
    mutationFn: () =>
      ask(
        `PATCH ${ONE}`,
        { path: { project, service: service.name }, body: patch(service as object, target) },
        { ifMatch: etag },
      ),
    onSuccess: (saved) => {
      setReviewing(false);
      told("Saved");
      if (saved.name !== service.name) go(`/projects/${project}/services/${saved.name}/settings`, { replace: true });
      else onSaved();
      void queries.invalidateQueries();
    },
    onError: (problem) => form.setErrors(fieldErrors(problem, Object.keys(form.values))),
  });
  return (
    <form onSubmit={form.onSubmit(() => setReviewing(true))} noValidate>
      <Stack>
        {groups.map((group) => (
          <Grouped key={group.title} title={group.title} says={group.says}>
            {group.fields.map((field) => (
              <FieldInput key={field.name} field={field} form={form} />
            ))}
            {group.title === "General" && <Behind project={project} form={form} />}
            {group.title === "Ways in" && (
              <>
                <Jwt value={service.jwt} form={form} />
                <Cors value={service.cors} form={form} />
              </>
            )}
          </Grouped>
        ))}
        <Group className="save-bar">
          <Button type="submit" disabled={changes.length === 0}>
            Review and save
          </Button>
          <Button variant="default" disabled={changes.length === 0} onClick={() => form.reset()}>
            Discard
          </Button>
        </Group>
      </Stack>
      <ReviewChanges
        opened={reviewing}
        changes={changes}
        labels={labels}
        saving={save.isPending}
        problem={save.error}
        onSave={() => save.mutate()}
        onClose={() => setReviewing(false)}
      />
    </form>
  );
}

function problems(values: Values): Record<string, string | null> {
  const found = fields.map(({ name, kind }) => {
    const value = values[name];
    return [name, kind === "list" ? null : broken(ruleOf("ServiceUpdate", name), value)];
  });
  return {
    ...Object.fromEntries(found),
    name: values.name ? broken(ruleOf("ServiceUpdate", "name"), values.name) : "must be given",
    labels: labelProblem(values.labels),
  };
}
