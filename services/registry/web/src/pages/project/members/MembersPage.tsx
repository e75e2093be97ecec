/** The people of a project and what they may do: everybody's roles, on the project or on a part of it. */
import { Stack } from "@mantine/core";
import { useParams } from "wouter";
import { PageHead } from "@/components/PageHead";
import { useMay } from "@/session/session";
import { Assignments } from "./Assignments";
import { People } from "./People";

export default function MembersPage() {
  const { project = "" } = useParams();
  const may = useMay(project);
  return (
    <>
      <PageHead title="Members" />
      <Stack>
        <People project={project} />
        {may("roles.assignments.list") && <Assignments project={project} />}
      </Stack>
    </>
  );
}
