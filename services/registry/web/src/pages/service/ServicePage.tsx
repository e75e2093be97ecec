/** One service: its head, and the tab that the address names. */
import { Group, Text } from "@mantine/core";
import { Suspense } from "react";
import { useParams } from "wouter";
import { useAsk } from "@/api/queries";
import type { ServiceDetail } from "@/api/schema";
import { Endpoint } from "@/components/Endpoint";
import { Ready } from "@/components/Live";
import { Loaded, Waiting } from "@/components/Loaded";
import { PageHead } from "@/components/PageHead";
import { RoutedTabs } from "@/components/RoutedTabs";
import { useLiveService } from "@/live/services";
import { useMay } from "@/session/session";
import { chunk } from "@/shell/chunk";
import { tabs as declared } from "./tabs";

const TABS = declared.map((tab) => ({ ...tab, Content: chunk(tab.load) }));

export default function ServicePage() {
  const { project = "", service: name = "" } = useParams();
  const service = useAsk("GET /projects/{project}/services/{service}", { path: { project, service: name } });
  return (
    <Loaded of={service} title={`${name} could not be shown`} lines={6}>
      {(found) => <Found project={project} service={found} />}
    </Loaded>
  );
}

function Found({ project, service }: { project: string; service: ServiceDetail }) {
  const { tab } = useParams();
  const may = useMay(project);
  const live = useLiveService(service.id);
  const here = `/projects/${project}/services`;
  const on = { service: service.name, deployment: service.deployment };
  const tabs = TABS.filter(({ needs }) => may(needs, on)).map(({ value, label, Content }) => ({
    value,
    label,
    content: () => (
      <Suspense fallback={<Waiting lines={6} />}>
        <Content project={project} service={service} />
      </Suspense>
    ),
  }));
  return (
    <>
      <PageHead title={service.name} beside={<Ready live={live} />} path={[{ label: "Services", href: here }]} />
      <Group mb="md" gap="xs">
        <Endpoint url={service.endpoint} />
        {service.description && (
          <Text size="sm" c="dimmed" style={{ overflowWrap: "anywhere" }}>
            {service.description}
          </Text>
        )}
      </Group>
      <RoutedTabs label={`Of ${service.name}`} base={`${here}/${service.name}`} open={tab} tabs={tabs} />
    </>
  );
}
