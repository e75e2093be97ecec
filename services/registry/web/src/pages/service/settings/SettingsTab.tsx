/** All settings of a service. What will change is shown before it is saved, and a change by somebody else is noticed. */
import { useForm } from "@mantine/form";
import { Fragment } from "react";
import { useLocation } from "wouter";
import { ask, askFully } from "@/api/client";
import { broken, ruleOf } from "@/api/rule";
import { differences, patch, unfolded } from "@/components/changes";
import { labelProblem } from "@/components/labels";
import { ReviewedForm } from "@/components/ReviewedForm";
import { Revision } from "@/components/Revision";
import type { TabProps } from "../tabs";
import { Behind } from "./Behind";
import { ClientCertificates } from "./ClientCertificates";
import { Cors } from "./Cors";
import { doorProblems } from "./doors";
import { FieldInput } from "./FieldInput";
import { fields, groups, labels, nested } from "./fields";
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
      isOld={(opened) => Date.parse(opened.time_updated) < Date.parse(service.time_updated)}
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
  const before = wanted(valuesOf(service), service); // as a form would save it
  const target = wanted(form.values, service);
  const path = { project, service: service.name };
  return (
    <ReviewedForm
      form={form}
      changes={unfolded(differences(before, target), nested)}
      labels={labels}
      save={() => ask(`PATCH ${ONE}`, { path, body: patch(before, target) }, { ifMatch: etag })}
      onSaved={({ name }) => {
        if (name !== service.name) go(`/projects/${project}/services/${name}/settings`, { replace: true });
        else onSaved();
      }}
    >
      {groups.map((group) => (
        <Fragment key={group.title}>
          <Group title={group.title} says={group.says}>
            {group.fields.map((field) => (
              <FieldInput key={field.name} field={field} form={form} />
            ))}
            {group.title === "General" && <Behind project={project} form={form} />}
            {group.title === "Ways in" && <Cors value={service.cors} form={form} />}
          </Group>
          {group.title === "Ways in" && (
            <>
              <Jwt project={project} stored={service.jwt} form={form} />
              <ClientCertificates stored={service.client_certificates} form={form} />
            </>
          )}
        </Fragment>
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
    ...doorProblems(values),
  };
}
