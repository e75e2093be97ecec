import { useAsk } from "@/api/queries";
import { useMay } from "@/session/session";

export interface Assignee {
  id: string;
  label: string;
}

/** Who can be given something in a project: its people and its programs; and the questions after them. */
export function useAssignees(project: string) {
  const may = useMay(project);
  const people = useAsk(
    "GET /projects/{project}/users",
    { path: { project } },
    { enabled: may("projects.users.list") },
  );
  const programs = useAsk(
    "GET /projects/{project}/service-users",
    { path: { project } },
    { enabled: may("service_users.list") },
  );
  const assignees: Assignee[] = [
    ...(people.data ?? []).map(({ id, email }) => ({ id, label: email })),
    ...(programs.data ?? []).map(({ id, email, name }) => ({ id, label: name ?? email })),
  ];
  return { assignees, asked: [people, programs] };
}
