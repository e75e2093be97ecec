/** The installation in a few numbers. */
import { Anchor, Card, SimpleGrid, Text } from "@mantine/core";
import type { ReactNode } from "react";
import { Link } from "wouter";
import type { InstallationState } from "@/api/schema";
import { number, rate } from "@/components/format";

export function Numbers({ of }: { of: InstallationState }) {
  const loads = of.routers.map(({ load }) => load);
  const sum = (take: (load: NonNullable<(typeof loads)[number]>) => number) =>
    loads.reduce((total, load) => total + (load ? take(load) : 0), 0);
  const numbers: [string, ReactNode][] = [
    ["Requests", rate(sum((load) => load.requests_per_second))],
    ["Under way", number(sum((load) => load.in_flight))],
    ["Connections", number(sum((load) => load.connections))],
    ["Services", number(of.database.services)],
    ["Instances", number(of.database.instances)],
    [
      "Dead letters",
      <Anchor key="dead" component={Link} href="/dead-letters" inherit c={of.dead_letters > 0 ? "red" : undefined}>
        {number(of.dead_letters)}
      </Anchor>,
    ],
    ["Version", of.version],
  ];
  return (
    <SimpleGrid component="dl" m={0} cols={{ base: 2, sm: 4, lg: 7 }} spacing="sm">
      {numbers.map(([name, value]) => (
        <Card key={name} withBorder padding="sm">
          <Text component="dt" size="xs" c="dimmed">
            {name}
          </Text>
          <Text component="dd" m={0} size="xl" fw={650} truncate>
            {value}
          </Text>
        </Card>
      ))}
    </SimpleGrid>
  );
}
