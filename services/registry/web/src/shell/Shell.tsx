/** What surrounds every page: header with the project, navigation by role, and the page itself, loaded when needed. */
import { AppShell, Burger, Group, ScrollArea } from "@mantine/core";
import { useDisclosure } from "@mantine/hooks";
import { Suspense, useEffect, useMemo } from "react";
import { Link, Redirect, Route, Switch, useLocation, useRoute } from "wouter";
import { useAsk } from "@/api/queries";
import { Waiting } from "@/components/Loaded";
import { Problem } from "@/components/Problem";
import { useProjectStream } from "@/live/useProjectStream";
import type { Needs } from "@/pages/page";
import { pages } from "@/pages/pages";
import { useOffered } from "@/session/offered";
import { useHeld } from "@/session/session";
import { AccountMenu } from "./AccountMenu";
import { chunk } from "./chunk";
import { ErrorBoundary } from "./ErrorBoundary";
import { Logo } from "./Logo";
import { Navigation } from "./Navigation";
import { NotFound } from "./NotFound";
import { ProjectSwitcher } from "./ProjectSwitcher";
import { remembered, useRemembered } from "./rememberedProject";
import { SchemeToggle } from "./SchemeToggle";

const ROUTES = pages.map((page) => ({ ...page, Content: chunk(page.load) }));

export default function Shell() {
  const [navigationOpened, navigation] = useDisclosure();
  const [location] = useLocation();
  const project = useProject();
  useProjectStream(project);
  // biome-ignore lint/correctness/useExhaustiveDependencies: a page that was chosen closes the menu it was chosen in
  useEffect(navigation.close, [location]);
  return (
    <AppShell
      header={{ height: 56 }}
      navbar={{ width: 232, breakpoint: "sm", collapsed: { mobile: !navigationOpened } }}
      padding={{ base: "sm", sm: "lg" }}
    >
      <a className="skip" href="#content">
        Skip to the content
      </a>
      <AppShell.Header>
        <Group h="100%" px="md" gap="sm" wrap="nowrap">
          <Burger
            opened={navigationOpened}
            onClick={navigation.toggle}
            hiddenFrom="sm"
            size="sm"
            aria-label={navigationOpened ? "Close the navigation" : "Open the navigation"}
          />
          <Link href="/" aria-label="Narthex: to the services" className="plain">
            <Logo />
          </Link>
          <ProjectSwitcher project={project} />
          <Group gap={4} ml="auto" wrap="nowrap">
            <SchemeToggle />
            <AccountMenu />
          </Group>
        </Group>
      </AppShell.Header>
      <AppShell.Navbar p="sm" component={ScrollArea}>
        <Navigation project={project} />
      </AppShell.Navbar>
      <AppShell.Main id="content" tabIndex={-1}>
        <ErrorBoundary at={location}>
          <Suspense fallback={<Waiting lines={6} />}>
            <Pages project={project} />
          </Suspense>
        </ErrorBoundary>
      </AppShell.Main>
    </AppShell>
  );
}

/** The project in the address, else the one that was open before. */
function useProject(): string {
  const [, params] = useRoute<{ project: string }>("/projects/:project/*?");
  const last = useRemembered();
  const named = params?.project;
  const { data: projects } = useAsk("GET /projects", {}, { enabled: named === undefined });
  useEffect(() => {
    if (named) remembered(named);
  }, [named]);
  return useMemo(() => {
    if (named !== undefined) return named;
    const known = projects?.map(({ name }) => name) ?? [];
    return known.includes(last) ? last : (known[0] ?? "");
  }, [named, projects, last]);
}

function Pages({ project }: { project: string }) {
  const held = useHeld(project);
  const offered = useOffered(project);
  return (
    <Switch>
      {ROUTES.map(({ path, Content, needs }) => (
        <Route key={path} path={path}>
          {(params) => {
            if (offered === null) return <Waiting lines={6} />;
            return offered(needs) ? <Content key={thing(params)} /> : <NotOffered held={held} needs={needs} />;
          }}
        </Route>
      ))}
      <Route path="/">
        {project ? <Redirect to={`/projects/${project}/services`} replace /> : <NotFound noProject />}
      </Route>
      <Route>
        <NotFound />
      </Route>
    </Switch>
  );
}

/** Instead of a page that is not for somebody, or of which that is not known. */
function NotOffered({ held, needs }: { held: ReturnType<typeof useHeld>; needs?: Needs }) {
  if (held.isLoadingError && needs !== "administrator") {
    return <Problem of={held.error} title="What you may do here could not be read" retry={() => held.refetch()} />;
  }
  return <NotFound needs={needs} />;
}

/** What a page is about: another one has a page of its own, another tab of it keeps the page, and the focus in it. */
function thing(params: Record<string, string | undefined>): string {
  const names = Object.keys(params).filter((name) => name !== "tab" && /^[a-z]/.test(name)); // wouter adds 0, 1 and *
  return names.map((name) => params[name]).join("/");
}
