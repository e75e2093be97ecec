/** The settings of a version; what will change is shown before it is saved, and nobody's change is lost. */
import { useForm } from "@mantine/form";
import { useLocation } from "wouter";
import { ask, askFully } from "@/api/client";
import type { VersionDetail } from "@/api/schema";
import { differences, patch } from "@/components/changes";
import { ReviewedForm } from "@/components/ReviewedForm";
import { Revision } from "@/components/Revision";
import { Section } from "@/components/Section";
import { General, Health, Retention } from "./Fields";
import { labels, problems, type Values, valuesOf, wanted } from "./values";

const ONE = "/projects/{project}/deployments/{deployment}/versions/{version}";

interface Props {
  project: string;
  version: VersionDetail;
}

export function Settings({ project, version }: Props) {
  const path = { project, deployment: version.deployment, version: version.version };
  return (
    <Revision
      noun="version"
      id={version.id}
      read={() => askFully(`GET ${ONE}`, { path })}
      isOld={(opened) => Date.parse(opened.last_updated) < Date.parse(version.last_updated)}
    >
      {(opened, etag, again) => <Form key={etag} project={project} version={opened} etag={etag} onSaved={again} />}
    </Revision>
  );
}

function Form({ project, version, etag, onSaved }: Props & { etag: string; onSaved: () => void }) {
  const [, go] = useLocation();
  const form = useForm<Values>({ initialValues: valuesOf(version), validateInputOnChange: true, validate: problems });
  const target = wanted(form.values, version);
  const changes = differences(version, target);
  const path = { project, deployment: version.deployment, version: version.version };
  return (
    <ReviewedForm
      form={form}
      changes={changes}
      labels={labels}
      note={
        changes.some(({ field }) => field === "health_check")
          ? "Instances keep their health until the new check says otherwise."
          : undefined
      }
      save={() => ask(`PATCH ${ONE}`, { path, body: patch(version, target) }, { ifMatch: etag })}
      onSaved={({ deployment, version: name }) => {
        const here = `/projects/${project}/deployments/${deployment}/versions/${name}/settings`;
        if (name !== version.version) go(here, { replace: true });
        else onSaved();
      }}
    >
      <Section title="General">
        <General form={form} />
      </Section>
      <Section title="Requests" says="What the log keeps of the requests that this version answers.">
        <Retention form={form} />
      </Section>
      <Section
        title="Health check"
        says="How its instances are asked whether they can take requests. What is left empty is as usual."
      >
        <Health form={form} />
      </Section>
    </ReviewedForm>
  );
}
