/** One service: its head, and the tab that the address names. */
import { Group, Tabs, Text } from "@mantine/core";
import { Suspense, useEffect, useRef } from "react";
import { useLocation, useParams } from "wouter";
import { useAsk } from "@/api/queries";
import type { ServiceDetail } from "@/api/schema";
import { Endpoint } from "@/components/Endpoint";
import { Ready } from "@/components/Live";
import { Loaded, Waiting } from "@/components/Loaded";
import { PageHead } from "@/components/PageHead";
import { useLiveService } from "@/live/services";
import { useMay } from "@/session/session";
import { chunk } from "@/shell/chunk";
import { NotFound } from "@/shell/NotFound";
import { tabs } from "./tabs";

const TABS = tabs.map((tab) => ({ ...tab, Content: chunk(tab.load) }));

const FIRST = "overview";

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
  const { tab = FIRST } = useParams();
  const [, go] = useLocation();
  const may = useMay(project);
  const live = useLiveService(service.id);
  const here = `/projects/${project}/services`;
  const on = { service: service.name, deployment: service.deployment };
  const offered = TABS.filter(({ needs }) => may(needs, on));
  const list = useRef<HTMLDivElement>(null);
  // biome-ignore lint/correctness/useExhaustiveDependencies: the tab that is open comes into sight, on a phone
  useEffect(() => {
    list.current?.querySelector("[data-active]")?.scrollIntoView({ block: "nearest", inline: "center" });
  }, [tab, offered.length]);
  const open = offered.find(({ value }) => value === tab);
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
      <Tabs
        value={tab}
        onChange={(value) => go(`${here}/${service.name}${value === FIRST ? "" : `/${value}`}`)}
        activateTabWithKeyboard={false}
        keepMounted={false}
      >
        <Tabs.List mb="md" className="scrolling-tabs" ref={list}>
          {offered.map(({ value, label }) => (
            <Tabs.Tab key={value} value={value}>
              {label}
            </Tabs.Tab>
          ))}
        </Tabs.List>
        {open ? (
          <Tabs.Panel value={open.value}>
            <Suspense fallback={<Waiting lines={6} />}>
              <open.Content project={project} service={service} />
            </Suspense>
          </Tabs.Panel>
        ) : (
          offered.length > 0 && <NotFound />
        )}
      </Tabs>
    </>
  );
}
