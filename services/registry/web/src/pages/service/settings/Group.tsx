/** Settings that belong together. */
import { SimpleGrid } from "@mantine/core";
import type { ReactNode } from "react";
import { Section } from "@/components/Section";

export function Group({ title, says, children }: { title: string; says?: string; children: ReactNode }) {
  return (
    <Section title={title} says={says}>
      <SimpleGrid cols={{ base: 1, md: 2 }} verticalSpacing="sm" style={{ alignItems: "end" }}>
        {children}
      </SimpleGrid>
    </Section>
  );
}
