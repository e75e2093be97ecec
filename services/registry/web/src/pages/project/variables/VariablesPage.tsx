/** The environment variables of a whole project. */
import { Text } from "@mantine/core";
import { useParams } from "wouter";
import { PageHead } from "@/components/PageHead";
import { useMay } from "@/session/session";
import { Variables } from "./Variables";

export default function VariablesPage() {
  const { project = "" } = useParams();
  const may = useMay(project);
  return (
    <>
      <PageHead title="Variables" />
      <Text size="sm" c="dimmed" mb="md">
        Of all deployments in the project; a deployment or a version can have its own of the same name.
      </Text>
      <Variables level="project" path={{ project }} changeable={may("projects.update")} />
    </>
  );
}
