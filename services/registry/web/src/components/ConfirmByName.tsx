/** Before what cannot be undone: asks for the name of what will be gone. */
import { Button, Group, Modal, Stack, Text, TextInput } from "@mantine/core";
import { type FormEvent, type ReactNode, useState } from "react";
import type { ApiProblem } from "@/api/problem";
import { NotDone } from "./NotDone";

interface Props {
  opened: boolean;
  title: string;
  name: string; // what has to be typed
  action: string; // on the button
  consequence: ReactNode;
  working: boolean;
  problem?: ApiProblem | null;
  onConfirm: () => void;
  onClose: () => void;
}

export function ConfirmByName({
  opened,
  title,
  name,
  action,
  consequence,
  working,
  problem,
  onConfirm,
  onClose,
}: Props) {
  const [typed, setTyped] = useState("");
  const close = () => {
    setTyped("");
    onClose();
  };
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (typed === name) onConfirm();
  };
  return (
    <Modal opened={opened} onClose={close} title={title}>
      <form onSubmit={submit}>
        <Stack>
          <Text size="sm" component="div">
            {consequence}
          </Text>
          <TextInput
            label={
              <>
                Type <code>{name}</code> to confirm
              </>
            }
            value={typed}
            onChange={(event) => setTyped(event.currentTarget.value)}
            autoComplete="off"
            spellCheck={false}
            data-autofocus
          />
          <NotDone of={problem} />
          <Group justify="flex-end">
            <Button variant="default" onClick={close}>
              Cancel
            </Button>
            <Button type="submit" color="red" disabled={typed !== name} loading={working}>
              {action}
            </Button>
          </Group>
        </Stack>
      </form>
    </Modal>
  );
}
