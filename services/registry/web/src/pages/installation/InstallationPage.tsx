/** How the whole installation does, part by part; kept true while somebody looks. */
import { Alert, List, SimpleGrid, Stack } from "@mantine/core";
import { CircleCheck, TriangleAlert } from "lucide-react";
import { useAsk } from "@/api/queries";
import type { InstallationState } from "@/api/schema";
import { Loaded } from "@/components/Loaded";
import { PageHead } from "@/components/PageHead";
import { Bus } from "./Bus";
import { Certificates } from "./Certificates";
import { HealthWorkers } from "./HealthWorkers";
import { Numbers } from "./Numbers";
import { Routers } from "./Routers";
import { Stores } from "./Stores";

const EVERY_MS = 5000; // there is no stream of it

export default function InstallationPage() {
  const state = useAsk("GET /installation", {}, { every: EVERY_MS });
  return (
    <>
      <PageHead title="Installation" />
      <Loaded of={state} title="The installation's state could not be shown" lines={8}>
        {(found) => (
          <Stack>
            <Problems of={found} />
            <Numbers of={found} />
            <Routers routers={found.routers} sequence={found.sequence} now={found.time} />
            <HealthWorkers workers={found.health_workers} />
            <Bus bus={found.bus} />
            <Certificates of={found.certificates} />
            <SimpleGrid cols={{ base: 1, md: 2 }}>
              <Stores of={found} />
            </SimpleGrid>
          </Stack>
        )}
      </Loaded>
    </>
  );
}

function Problems({ of: { problems } }: { of: InstallationState }) {
  if (problems.length === 0) {
    return (
      <Alert color="green" icon={<CircleCheck />} title="All is well">
        No part of the installation needs anybody.
      </Alert>
    );
  }
  return (
    <Alert color="red" icon={<TriangleAlert />} title="What needs somebody" role="alert">
      <List size="sm">
        {problems.map((problem) => (
          <List.Item key={problem} style={{ overflowWrap: "anywhere" }}>
            {problem}
          </List.Item>
        ))}
      </List>
    </Alert>
  );
}
