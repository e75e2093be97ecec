/** What surrounds every page: header with the project, navigation by role, and the page itself, loaded when needed. */
import { AppShell, Burger, Group } from "@mantine/core";
import { useDisclosure, useInterval } from "@mantine/hooks";
import { type ReactNode, Suspense, useEffect, useMemo } from "react";
import { Link, Redirect, Route, Switch, useLocation, useRoute } from "wouter";
import { useLastProblem } from "@/api/lastProblem";
import { useAsk } from "@/api/queries";
import { Waiting } from "@/components/Loaded";
import { Problem } from "@/components/Problem";
import { useProjectStream } from "@/live/useProjectStream";
import { pages } from "@/pages/pages";
import { type Offered, useOffered } from "@/session/offered";
import { chunk, whenDrawn } from "./chunk";
import { ErrorBoundary } from "./ErrorBoundary";
import { Logo } from "./Logo";
import { Navigation } from "./Navigation";
import { NotFound } from "./NotFound";
import { remembered, rememberedProject } from "./rememberedProject";
import { SchemeToggle } from "./SchemeToggle";

const NO_PROJECTS = "Which projects there are could not be read";
const LOOK_AGAIN_MS = 10_000;
const ProjectSwitcher = whenDrawn(() => import("./ProjectSwitcher"));
const AccountMenu = whenDrawn(() => import("./AccountMenu"));
const ROUTES = pages.map((page) => ({ ...page, Content: chunk(page.load) }));

export default function Shell() {
  const [navigationOpened, navigation] = useDisclosure();
  const [location] = useLocation();
  const { project, unread } = useProject();
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
          <Suspense fallback={<span className="switcher-place">{project}</span>}>
            <ProjectSwitcher project={project} />
          </Suspense>
          <Group gap={4} ml="auto" wrap="nowrap">
            <SchemeToggle />
            <Suspense fallback={<span className="account-place" />}>
              <AccountMenu />
            </Suspense>
          </Group>
        </Group>
      </AppShell.Header>
      <AppShell.Navbar p="sm" className="navigation">
        <Navigation project={project} />
      </AppShell.Navbar>
      <AppShell.Main id="content" tabIndex={-1}>
        <ErrorBoundary at={location}>
          <Suspense fallback={<Waiting lines={6} />}>
            <Pages project={project} unread={unread} />
          </Suspense>
        </ErrorBoundary>
      </AppShell.Main>
    </AppShell>
  );
}

interface Project {
  project: string; // its name; empty: there is none
  unread: ReactNode; // in place of it, where it could not be read which there are
}

/** The project in the address, else the one that was open before. */
function useProject(): Project {
  const [, params] = useRoute<{ project: string }>("/projects/:project/*?");
  const last = rememberedProject();
  const named = params?.project;
  const asked = useAsk("GET /projects", {}, { enabled: named === undefined });
  const problem = useLastProblem(asked);
  const { data: projects, refetch } = asked;
  useEffect(() => {
    if (named) remembered(named);
  }, [named]);
  const project = useMemo(() => {
    if (named !== undefined) return named;
    const known = projects?.map(({ name }) => name) ?? [];
    return known.includes(last) ? last : (known[0] ?? "");
  }, [named, projects, last]);
  if (problem) return { project, unread: <Problem of={problem} title={NO_PROJECTS} retry={() => void refetch()} /> };
  return { project, unread: named === undefined && projects === undefined ? <Waiting lines={6} /> : null };
}

function Pages({ project, unread }: Project) {
  const offered = useOffered(project);
  return (
    <Switch>
      {ROUTES.map(({ path, Content, needs }) => (
        <Route key={path} path={path}>
          {(params) => {
            if (offered === null) return <Waiting lines={6} />;
            return offered.allows(needs) ? <Content key={thing(params)} /> : <NotOffered by={offered} needs={needs} />;
          }}
        </Route>
      ))}
      <Route path="/">
        {project ? <Redirect to={`/projects/${project}/services`} replace /> : (unread ?? <NotFound noProject />)}
      </Route>
      <Route>
        <NotFound />
      </Route>
    </Switch>
  );
}

/** Instead of a page that is not for somebody, or of which that is not known; looks whether that has changed. */
function NotOffered({ by: { unread, again }, needs }: { by: Offered; needs?: string }) {
  useInterval(again, LOOK_AGAIN_MS, { autoInvoke: needs !== "administrator" }); // of that the session tells
  if (unread && needs !== "administrator") {
    return <Problem of={unread} title="What you may do here could not be read" retry={again} />;
  }
  return <NotFound needs={needs} />;
}

/** What a page is about: another one has a page of its own, another tab of it keeps the page, and the focus in it. */
function thing(params: Record<string, string | undefined>): string {
  const names = Object.keys(params).filter((name) => name !== "tab" && /^[a-z]/.test(name)); // wouter adds 0, 1 and *
  return names.map((name) => params[name]).join("/");
}
