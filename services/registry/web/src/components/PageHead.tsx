/** The head of a page: where it is, its title, and what can be done. Also names the browser's tab. */
import { Anchor, Breadcrumbs, Group, Stack, Title } from "@mantine/core";
import type { ReactNode } from "react";
import { Link } from "wouter";

interface Props {
  title: string;
  beside?: ReactNode; // e.g. a badge
  path?: { label: string; href: string }[];
  children?: ReactNode; // actions
}

export function PageHead({ title, beside, path = [], children }: Props) {
  return (
    <Stack gap={4} mb="md">
      <title>{`${title} · Narthex`}</title>
      {path.length > 0 && (
        <Breadcrumbs component="nav" aria-label="Where this is">
          {path.map(({ label, href }) => (
            <Anchor key={href} component={Link} href={href} size="sm">
              {label}
            </Anchor>
          ))}
        </Breadcrumbs>
      )}
      <Group justify="space-between" gap="sm">
        <Group gap="sm">
          <Title order={1} size="h2" style={{ overflowWrap: "anywhere" }}>
            {title}
          </Title>
          {beside}
        </Group>
        <Group gap="xs">{children}</Group>
      </Group>
    </Stack>
  );
}
