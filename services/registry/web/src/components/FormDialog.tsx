/** A short form in a dialog: its fields, what the API said against it, and the two ways out. */
import { Button, Group, Modal, Stack } from "@mantine/core";
import type { FormEvent, ReactNode } from "react";
import type { ApiProblem } from "@/api/problem";
import { Refusal } from "./Refusal";

interface Props {
  opened: boolean;
  title: string;
  action: string;
  working: boolean;
  problem: ApiProblem | null;
  fields?: readonly string[]; // at which refusals are shown
  failed?: string;
  size?: string;
  onSubmit: (event: FormEvent<HTMLFormElement>) => void;
  onClose: () => void;
  children: ReactNode;
}

export function FormDialog({
  opened,
  title,
  action,
  working,
  problem,
  fields = [],
  failed = "Not saved",
  size = "lg",
  onSubmit,
  onClose,
  children,
}: Props) {
  return (
    <Modal opened={opened} onClose={onClose} title={title} size={size}>
      <form onSubmit={onSubmit} noValidate>
        <Stack>
          {children}
          <Refusal of={problem} fields={fields} title={failed} />
          <Group justify="flex-end">
            <Button variant="default" onClick={onClose}>
              Cancel
            </Button>
            <Button type="submit" loading={working}>
              {action}
            </Button>
          </Group>
        </Stack>
      </form>
    </Modal>
  );
}
