/** Tabs of a page, of which the address names the one that is open; the first has no name there. */
import { Tabs } from "@mantine/core";
import { type ReactNode, useEffect, useRef } from "react";
import { useLocation } from "wouter";
import { NotFound } from "@/shell/NotFound";

export interface RoutedTab {
  value: string;
  label: string;
  content: () => ReactNode; // called when it is open
}

interface Props {
  label: string; // what the tabs are of, for who cannot see them
  base: string; // the page's address
  open: string | undefined; // from the address
  tabs: RoutedTab[];
}

export function RoutedTabs({ label, base, open, tabs }: Props) {
  const [, go] = useLocation();
  const first = tabs[0]?.value;
  const chosen = tabs.find(({ value }) => value === (open ?? first));
  const list = useRef<HTMLDivElement>(null);
  // biome-ignore lint/correctness/useExhaustiveDependencies: in a narrow window the tab that is open may be out of sight
  useEffect(() => {
    list.current?.querySelector("[data-active]")?.scrollIntoView({ block: "nearest", inline: "center" });
  }, [chosen?.value]);
  return (
    <Tabs
      value={chosen?.value ?? null}
      onChange={(value) => go(value === first ? base : `${base}/${value}`)}
      activateTabWithKeyboard={false}
      keepMounted={false}
    >
      <Tabs.List ref={list} mb="md" className="scrolling-tabs" aria-label={label}>
        {tabs.map(({ value, label }) => (
          <Tabs.Tab key={value} value={value}>
            {label}
          </Tabs.Tab>
        ))}
      </Tabs.List>
      {chosen ? <Tabs.Panel value={chosen.value}>{chosen.content()}</Tabs.Panel> : <NotFound />}
    </Tabs>
  );
}
