/** The instances of a version, and registering one by hand. */
import { Button, Group, Stack } from "@mantine/core";
import { Plus } from "lucide-react";
import { useState } from "react";
import { useCursorPages } from "@/api/pages";
import type { InstanceDetail, VersionDetail } from "@/api/schema";
import { DataTable } from "@/components/DataTable";
import { Empty } from "@/components/Empty";
import { Problem } from "@/components/Problem";
import { useMay } from "@/session/session";
import { columns } from "../../service/instances/columns";
import { InstanceDrawer } from "../../service/instances/InstanceDrawer";
import { RegisterDialog } from "./RegisterDialog";

const SIZE = 100;

export function Instances({ project, version }: { project: string; version: VersionDetail }) {
  const may = useMay(project);
  const [chosen, choose] = useState<string | null>(null);
  const [registering, setRegistering] = useState(false);
  const path = { project, deployment: version.deployment, version: version.version };
  const instances = useCursorPages(
    "GET /projects/{project}/deployments/{deployment}/versions/{version}/instances",
    { path },
    { size: SIZE },
  );
  if (instances.error)
    return <Problem of={instances.error} title="The instances could not be shown" retry={instances.retry} />;
  return (
    <Stack gap="sm">
      {may("instances.create", { deployment: version.deployment }) && (
        <Group justify="flex-end">
          <Button variant="default" leftSection={<Plus size={16} />} onClick={() => setRegistering(true)}>
            Register an instance
          </Button>
        </Group>
      )}
      <DataTable<InstanceDetail>
        label="Instances"
        columns={columns((instance) => choose(instance.id))}
        rows={instances.rows}
        rowKey={({ id }) => id}
        more={instances.more}
        hasMore={instances.hasMore}
        loading={instances.loading}
        onOpen={({ id }) => choose(id)}
        empty={
          <Empty title="No instances">
            Programs register themselves with the API, <code>narthex run</code> starts and registers them, and discovery
            finds what runs in Docker, Kubernetes or DNS.
          </Empty>
        }
      />
      <InstanceDrawer
        {...path}
        instance={instances.rows.find(({ id }) => id === chosen) ?? null}
        onClose={() => choose(null)}
      />
      {registering && <RegisterDialog path={path} onClose={() => setRegistering(false)} />}
    </Stack>
  );
}
