/** The pages that somebody is offered, by group. */
import { Stack, Text } from "@mantine/core";
import { Link, useLocation } from "wouter";
import { pages } from "@/pages/pages";
import { useOffered } from "@/session/offered";

export function Navigation({ project }: { project: string }) {
  const offered = useOffered(project);
  const [location] = useLocation();
  const shown = pages.filter(
    ({ nav, path, needs }) => nav && (project || !path.includes(":project")) && offered?.allows(needs),
  );
  const groups = [...new Set(shown.map(({ nav }) => nav?.group ?? ""))];
  return (
    <nav aria-label="Pages">
      {offered?.unread && (
        <Text size="sm" c="dimmed" p="xs">
          Pages of this project are missing here: what you may do could not be read.
        </Text>
      )}
      {groups.map((group) => (
        <Stack key={group} gap={2} mb="md">
          <Text size="xs" fw={600} c="dimmed" px="xs">
            {group}
          </Text>
          {shown
            .filter(({ nav }) => nav?.group === group)
            .map(({ path, nav }) => {
              const href = place(path, project);
              const active = location === href || location.startsWith(`${href}/`);
              const Icon = nav?.icon;
              return (
                <Link key={path} href={href} className="navigation-link" aria-current={active ? "page" : undefined}>
                  {Icon && <Icon size={18} />}
                  {nav?.label}
                </Link>
              );
            })}
        </Stack>
      ))}
    </nav>
  );
}

/** A page's path in a project; what may be left out of it is. */
function place(path: string, project: string): string {
  return path.replace(":project", project).replace(/\/:\w+\?$/, "");
}
