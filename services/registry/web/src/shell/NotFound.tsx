/** Instead of a page that is not there, or that is not offered. */
import { Text, Title } from "@mantine/core";

export function NotFound({ needs, noProject = false }: { needs?: string; noProject?: boolean }) {
  if (noProject)
    return <Sorry title="No project yet" says="You belong to no project. Ask an administrator to let you into one." />;
  if (needs === "administrator")
    return <Sorry title="For administrators" says="This page is for administrators of the installation." />;
  if (needs)
    return <Sorry title="Not for you yet" says={`You need a role with the permission ${needs} in this project.`} />;
  return (
    <Sorry title="There is no such page" says="It may have been deleted. The navigation leads to what is there." />
  );
}

function Sorry({ title, says }: { title: string; says: string }) {
  return (
    <>
      <title>{`${title} · Narthex`}</title>
      <Title order={1} size="h2" mb="xs">
        {title}
      </Title>
      <Text>{says}</Text>
    </>
  );
}
