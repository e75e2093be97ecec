/** All settings of a service. What will change is shown before it is saved, and a change by somebody else is noticed. */
import { useForm } from "@mantine/form";
import { useLocation } from "wouter";
import { ask, askFully } from "@/api/client";
import { broken, ruleOf } from "@/api/rule";
import { differences, patch } from "@/components/changes";
import { labelProblem } from "@/components/labels";
import { ReviewedForm } from "@/components/ReviewedForm";
import { Revision } from "@/components/Revision";
import type { TabProps } from "../tabs";
import { Behind } from "./Behind";
import { Cors } from "./Cors";
import { FieldInput } from "./FieldInput";
import { fields, groups, labels } from "./fields";
import { Group } from "./Group";
import { Jwt } from "./Jwt";
import { type Values, valuesOf, wanted } from "./values";

const ONE = "/projects/{project}/services/{service}";

export default function SettingsTab({ project, service }: TabProps) {
  return (
    <Revision
      noun="service"
      id={service.id}
      read={() => askFully(`GET ${ONE}`, { path: { project, service: service.name } })}
      isCurrent={(opened) => opened.time_updated === service.time_updated}
    >
      {(opened, etag, again) => <Form key={etag} project={project} service={opened} etag={etag} onSaved={again} />}
    </Revision>
  );
}

interface FormProps extends TabProps {
  etag: string;
  onSaved: () => void;
}

function Form({ project, service, etag, onSaved }: FormProps) {
  const [, go] = useLocation();
  const form = useForm<Values>({ initialValues: valuesOf(service), validateInputOnChange: true, validate: problems });
  const target = wanted(form.values, service);
  const path = { project, service: service.name };
  return (
    <ReviewedForm
      form={form}
      changes={differences(service, target)}
      labels={labels}
      save={() => ask(`PATCH ${ONE}`, { path, body: patch(service, target) }, { ifMatch: etag })}
      onSaved={({ name }) => {
        if (name !== service.name) go(`/projects/${project}/services/${name}/settings`, { replace: true });
        else onSaved();
      }}
    >
      {groups.map((group) => (
        <Group key={group.title} title={group.title} says={group.says}>
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
        </Group>
      ))}
    </ReviewedForm>
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
