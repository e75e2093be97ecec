/** The instances of a version, and registering one by hand. */
import { Button, Group, Stack } from "@mantine/core";
import { Plus } from "lucide-react";
import { useState } from "react";
import type { VersionDetail } from "@/api/schema";
import { Empty } from "@/components/Empty";
import { useMay } from "@/session/session";
import { InstanceList } from "../../service/instances/InstanceList";
import { RegisterDialog } from "./RegisterDialog";

export function Instances({ project, version }: { project: string; version: VersionDetail }) {
  const may = useMay(project);
  const [registering, setRegistering] = useState(false);
  const path = { project, deployment: version.deployment, version: version.version };
  return (
    <Stack gap="sm">
      {may("instances.create", { deployment: version.deployment }) && (
        <Group justify="flex-end">
          <Button variant="default" leftSection={<Plus size={16} />} onClick={() => setRegistering(true)}>
            Register an instance
          </Button>
        </Group>
      )}
      <InstanceList
        path={path}
        empty={
          <Empty title="No instances">
            Programs register themselves with the API, <code>narthex run</code> starts and registers them, and discovery
            finds what runs in Docker, Kubernetes or DNS.
          </Empty>
        }
      />
      {registering && <RegisterDialog path={path} onClose={() => setRegistering(false)} />}
    </Stack>
  );
}
