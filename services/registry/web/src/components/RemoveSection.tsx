/** The end of a page: deleting what it is about, after its name was typed. */
import { Button } from "@mantine/core";
import { useState } from "react";
import type { ApiProblem } from "@/api/problem";
import { ConfirmByName } from "./ConfirmByName";
import { Section } from "./Section";

interface Props {
  noun: string; // "deployment"
  name: string;
  consequence: string;
  says?: string; // before anything is asked; else the consequence
  working: boolean;
  problem: ApiProblem | null;
  onConfirm: () => void;
}

export function RemoveSection({ noun, name, consequence, says = consequence, working, problem, onConfirm }: Props) {
  const [asking, setAsking] = useState(false);
  return (
    <Section
      title={`Delete this ${noun}`}
      says={says}
      action={
        <Button color="red" variant="light" onClick={() => setAsking(true)}>
          Delete {name}
        </Button>
      }
    >
      <ConfirmByName
        opened={asking}
        title={`Delete ${name}?`}
        name={name}
        action={`Delete the ${noun}`}
        consequence={consequence}
        working={working}
        problem={problem}
        onConfirm={onConfirm}
        onClose={() => setAsking(false)}
      />
    </Section>
  );
}
