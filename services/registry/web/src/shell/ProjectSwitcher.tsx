/** The project that is open, and the others, which are read again when somebody looks: no event tells of them. */
import { Select } from "@mantine/core";
import { useLocation } from "wouter";
import { useLastProblem } from "@/api/lastProblem";
import { useAsk } from "@/api/queries";

const UNREAD = { value: "", label: "The projects could not be read", disabled: true };

export default function ProjectSwitcher({ project }: { project: string }) {
  const [, go] = useLocation();
  const asked = useAsk("GET /projects", {});
  const unread = useLastProblem(asked) !== null;
  const { data: projects, refetch } = asked;
  const names = projects?.map(({ name }) => name) ?? [];
  const shown = names.includes(project) || !project ? names : [project, ...names];
  return (
    <Select
      aria-label="Project"
      placeholder="Project"
      data={unread ? [...shown, UNREAD] : shown}
      value={project || null}
      onChange={(name) => name && go(`/projects/${name}/services`)}
      onDropdownOpen={() => void refetch()}
      searchable={names.length > 8}
      nothingFoundMessage="No such project"
      allowDeselect={false}
      w={{ base: 150, sm: 220 }}
      comboboxProps={{ width: "max-content", position: "bottom-start" }}
    />
  );
}
