/** One dead letter: what it says, and what to do with it. */
import { Badge, Button, Code, Group, Stack } from "@mantine/core";
import { useState } from "react";
import { useAsk, useChange } from "@/api/queries";
import type { DeadLetterDetail } from "@/api/schema";
import { Confirm } from "@/components/Confirm";
import { Copy } from "@/components/Copy";
import { type Fact, Facts } from "@/components/Facts";
import { bytes, moment } from "@/components/format";
import { Loaded } from "@/components/Loaded";

const ONE = "/installation/dead-letters/{number}";

export function Letter({ number, onGone }: { number: string; onGone: () => void }) {
  const letter = useAsk(`GET ${ONE}`, { path: { number } });
  return (
    <Loaded of={letter} title="The dead letter could not be shown">
      {(found) => <Opened letter={found} onGone={onGone} />}
    </Loaded>
  );
}

function Opened({ letter, onGone }: { letter: DeadLetterDetail; onGone: () => void }) {
  const [asking, setAsking] = useState(false);
  const path = { number: String(letter.number) };
  const retry = useChange(`POST ${ONE}/retry`, {
    done: `${letter.consumer} is given it once more`,
    failed: "It was not given once more",
    after: onGone,
  });
  const discard = useChange(`DELETE ${ONE}`, { quiet: true, done: "It is thrown away", after: onGone });
  const facts: Fact[] = [
    ["Given up by", letter.consumer],
    ["Subject", letter.subject],
    ["Why", letter.reason],
    ["When", moment(letter.date)],
    ["Size", bytes(letter.size)],
  ];
  return (
    <Stack>
      <Group gap="xs">
        <Button onClick={() => retry.mutate({ path })} loading={retry.isPending}>
          Give it once more
        </Button>
        <Button color="red" variant="light" onClick={() => setAsking(true)}>
          Throw away
        </Button>
      </Group>
      <Facts label="The dead letter" of={facts} width={110} />
      <Group gap="xs">
        {letter.cut && <Badge color="yellow">only its beginning</Badge>}
        <Copy value={letter.content} label="Copy what it says" />
      </Group>
      <Code block tabIndex={0} role="region" aria-label="What it says" mah={480} fz="sm">
        {letter.content}
      </Code>
      <Confirm
        opened={asking}
        title={`Throw away dead letter ${letter.number}?`}
        action="Throw away"
        color="red"
        working={discard.isPending}
        problem={discard.error}
        onConfirm={() => discard.mutate({ path })}
        onClose={() => setAsking(false)}
      >
        What it says is lost, and {letter.consumer} never deals with it.
      </Confirm>
    </Stack>
  );
}
