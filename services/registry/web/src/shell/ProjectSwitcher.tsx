/** The project that is open, and the others. */
import { Select } from "@mantine/core";
import { useLocation } from "wouter";
import { useAsk } from "@/api/queries";

export default function ProjectSwitcher({ project }: { project: string }) {
  const [, go] = useLocation();
  const { data: projects } = useAsk("GET /projects", {});
  const names = projects?.map(({ name }) => name) ?? [];
  return (
    <Select
      aria-label="Project"
      placeholder="Project"
      data={names.includes(project) || !project ? names : [project, ...names]}
      value={project || null}
      onChange={(name) => name && go(`/projects/${name}/services`)}
      searchable={names.length > 8}
      nothingFoundMessage="No such project"
      allowDeselect={false}
      w={{ base: 150, sm: 220 }}
      comboboxProps={{ width: "max-content", position: "bottom-start" }}
    />
  );
}
