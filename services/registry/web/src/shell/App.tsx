/** Signed in: the shell with a page. Not: the sign-in page, which leads back to where somebody wanted to be. */
import { Center, Loader } from "@mantine/core";
import { Suspense, useEffect } from "react";
import { Redirect, Route, Switch, useLocation } from "wouter";
import { onReturn } from "@/api/connection";
import { useLastProblem } from "@/api/lastProblem";
import { queries } from "@/api/queries";
import { Problem } from "@/components/Problem";
import { SessionProvider, useWhoIsThere } from "@/session/session";
import { ConnectionBanner } from "./ConnectionBanner";
import { chunk } from "./chunk";
import { ErrorBoundary } from "./ErrorBoundary";

const SignInPage = chunk(() => import("@/pages/signIn/SignInPage"));
const Shell = chunk(() => import("./Shell"));

export function App() {
  useEffect(() => onReturn(() => void queries.invalidateQueries()), []);
  return (
    <ErrorBoundary>
      <ConnectionBanner />
      <Suspense fallback={<Starting />}>
        <Entrance />
      </Suspense>
    </ErrorBoundary>
  );
}

function Entrance() {
  const who = useWhoIsThere();
  const [location] = useLocation();
  const problem = useLastProblem(who);
  if (problem) return <Problem of={problem} title="Narthex is not there" retry={() => who.refetch()} />;
  if (who.data === undefined) return <Starting />;
  const session = who.data;
  return (
    <Switch>
      <Route path="/login">{session === null ? <SignInPage /> : <Redirect to={wanted()} replace />}</Route>
      <Route>
        {session === null ? (
          <Redirect to={`/login${asWanted(location)}`} replace />
        ) : (
          <SessionProvider session={session}>
            <Shell />
          </SessionProvider>
        )}
      </Route>
    </Switch>
  );
}

function Starting() {
  return (
    <Center h="100dvh">
      <Loader role="status" aria-label="Loading" />
    </Center>
  );
}

function asWanted(location: string): string {
  return location === "/" ? "" : `?${new URLSearchParams({ to: location + window.location.search })}`;
}

/** Where to go after signing in: a place of this app, never another origin. */
export function wanted(): string {
  const to = new URLSearchParams(window.location.search).get("to") ?? "/";
  return /^\/(?![/\\])/.test(to) ? to : "/";
}
