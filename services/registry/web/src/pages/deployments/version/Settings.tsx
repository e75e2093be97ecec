/** The settings of a version; what will change is shown before it is saved, and nobody's change is lost. */
import { Alert, Button, Group, Stack } from "@mantine/core";
import { useForm } from "@mantine/form";
import { useMutation, useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { useLocation } from "wouter";
import { type Answered, ask, askFully } from "@/api/client";
import type { ApiProblem } from "@/api/problem";
import { queries } from "@/api/queries";
import { fieldErrors } from "@/api/rule";
import type { VersionDetail } from "@/api/schema";
import { differences, patch } from "@/components/changes";
import { Loaded } from "@/components/Loaded";
import { told } from "@/components/notices";
import { ReviewChanges } from "@/components/ReviewChanges";
import { Section } from "@/components/Section";
import { General, Health, Retention } from "./Fields";
import { labels, OWN, PROBE, problems, type Values, valuesOf, wanted } from "./values";

const ONE = "/projects/{project}/deployments/{deployment}/versions/{version}";

interface Props {
  project: string;
  version: VersionDetail;
}

/** The revision that is edited is fixed when the form opens. */
export function Settings({ project, version }: Props) {
  const path = { project, deployment: version.deployment, version: version.version };
  const opened = useQuery<Answered<VersionDetail>, ApiProblem>({
    queryKey: ["settings", project, version.id],
    queryFn: () => askFully(`GET ${ONE}`, { path }),
    staleTime: Infinity,
    gcTime: 0,
    refetchOnWindowFocus: false,
  });
  return (
    <Loaded of={opened} title="The settings could not be shown" lines={8}>
      {({ answer, etag }) => (
        <Stack>
          {version.last_updated !== answer.last_updated && (
            <Alert color="yellow" title="Changed meanwhile">
              Somebody changed this version since you opened its settings.{" "}
              <Button size="compact-xs" variant="default" onClick={() => void opened.refetch()}>
                Show them as they are now
              </Button>
            </Alert>
          )}
          <Form key={etag} project={project} version={answer} etag={etag} onSaved={() => void opened.refetch()} />
        </Stack>
      )}
    </Loaded>
  );
}

function Form({ project, version, etag, onSaved }: Props & { etag: string; onSaved: () => void }) {
  const [, go] = useLocation();
  const [reviewing, setReviewing] = useState(false);
  const form = useForm<Values>({ initialValues: valuesOf(version), validateInputOnChange: true, validate: problems });
  const target = wanted(form.values, version);
  const changes = differences(version, target);
  const save = useMutation<VersionDetail, ApiProblem>({
    mutationFn: () =>
      ask(
        `PATCH ${ONE}`,
        {
          path: { project, deployment: version.deployment, version: version.version },
          body: patch(version, target),
        },
        { ifMatch: etag },
      ),
    onSuccess: (saved) => {
      setReviewing(false);
      told("Saved");
      if (saved.version !== version.version)
        go(`/projects/${project}/deployments/${saved.deployment}/versions/${saved.version}/settings`, {
          replace: true,
        });
      else onSaved();
      void queries.invalidateQueries();
    },
    onError: (problem) => form.setErrors(fieldErrors(problem, [...OWN, ...PROBE])),
  });
  return (
    <form onSubmit={form.onSubmit(() => setReviewing(true))} noValidate>
      <Stack>
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
        note={
          changes.some(({ field }) => field === "health_check")
            ? "Instances keep their health until the new check says otherwise."
            : undefined
        }
        saving={save.isPending}
        problem={save.error}
        onSave={() => save.mutate()}
        onClose={() => setReviewing(false)}
      />
    </form>
  );
}
