/** Makes a webhook, or changes one. The secret that signs the calls of a new one is shown once. */
import { Anchor, Button, Group, Modal, Stack, Text } from "@mantine/core";
import { useForm } from "@mantine/form";
import { useState } from "react";
import { useLocation } from "wouter";
import { useChange } from "@/api/queries";
import { atField } from "@/api/rule";
import type { WebhookDetail } from "@/api/schema";
import { patch } from "@/components/changes";
import { FormDialog } from "@/components/FormDialog";
import { ShownOnce } from "@/components/ShownOnce";
import { asCreate, asUpdate, FIELDS, problems, type Values, valuesOf } from "./values";
import { WebhookFields } from "./WebhookFields";

interface Props {
  project: string;
  webhook: WebhookDetail | null; // else a new one
  onClose: () => void;
}

export function WebhookDialog({ project, webhook, onClose }: Props) {
  const [, go] = useLocation();
  const here = `/projects/${project}/webhooks`;
  const [made, setMade] = useState<WebhookDetail | null>(null);
  const form = useForm<Values>({ initialValues: valuesOf(webhook), validateInputOnChange: true, validate: problems });
  const create = useChange("POST /projects/{project}/webhooks", { quiet: true, after: setMade });
  const update = useChange("PATCH /projects/{project}/webhooks/{webhook}", {
    quiet: true,
    done: "Saved",
    after: (saved) => {
      onClose();
      if (saved.name !== webhook?.name) go(`${here}/${saved.name}`, { replace: true });
    },
  });
  const change = webhook ? update : create;
  const submit = form.onSubmit((values) => {
    const refused = atField(form, FIELDS);
    if (webhook === null) return create.mutate({ path: { project }, body: asCreate(values) }, refused);
    const body = patch(webhook, asUpdate(values));
    update.mutate({ path: { project, webhook: webhook.name }, body }, refused);
  });
  if (made?.signing_secret) {
    return <Made secret={made.signing_secret} name={made.name} onClose={() => go(`${here}/${made.name}`)} />;
  }
  return (
    <FormDialog
      opened
      title={webhook ? `Edit ${webhook.name}` : "Create a webhook"}
      action={webhook ? "Save" : "Create"}
      working={change.isPending}
      problem={change.error}
      fields={FIELDS}
      failed={webhook ? "Not saved" : "The webhook was not made"}
      onSubmit={submit}
      onClose={onClose}
    >
      <WebhookFields project={project} form={form} made={webhook !== null} />
    </FormDialog>
  );
}

function Made({ secret, name, onClose }: { secret: string; name: string; onClose: () => void }) {
  return (
    <Modal opened onClose={onClose} title={`${name} is made`} closeOnClickOutside={false} size="lg">
      <Stack>
        <ShownOnce value={secret} label="secret" />
        <Text size="sm">
          Who is called checks with it that a call is from here, as{" "}
          <Anchor href="https://www.standardwebhooks.com" target="_blank" rel="noreferrer" inherit>
            Standard Webhooks
          </Anchor>{" "}
          says.
        </Text>
        <Group justify="flex-end">
          <Button onClick={onClose} data-autofocus>
            I have copied it
          </Button>
        </Group>
      </Stack>
    </Modal>
  );
}
