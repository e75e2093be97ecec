"""The routing table in memory: entries in, host to route out. Pure.

The truth is what the entries say of each thing. Routes and callers are made from it when a request first asks for
them, and forgotten when anything they are made of changes: loading 100,000 services makes none, and a change
costs nothing for services that nobody calls. A route is immutable, so a request that holds one is never surprised.
"""

from collections.abc import Iterable, Iterator, Mapping
from math import inf
from sys import intern
from typing import Any

from narthex.contracts.digest import token_digest
from narthex.contracts.passes import Pass
from narthex.routing import Entry, Kind
from narthex_router.bounds import Bounds, Policy
from narthex_router.domains import Domains
from narthex_router.doors.sign_out import ended_key, forget_ended
from narthex_router.facts import (
    READ,
    Certificate,
    Challenge,
    Deployment,
    Facts,
    Health,
    Instance,
    Project,
    Service,
    SignOut,
    Token,
    Version,
    shared,
)
from narthex_router.recording import Recording
from narthex_router.route import Caller as Caller
from narthex_router.route import Route as Route
from narthex_router.route import Target as Target
from narthex_router.route import caller_of, divided, new_caller, new_route, policy_of, recording_of
from narthex_router.swap import Size

BOUNDS = Bounds()
POLICIES = 10_000  # different ones that are remembered
_ABOUT_ACCESS = frozenset((Kind.TOKEN, Kind.ACCESS, Kind.SIGN_OUT))


class Table:
    """Facts, and what has been made of them so far. `routes` and `route`, `caller` are what the hot path uses."""

    def __init__(self, domain: str, *token_keys: bytes, bounds: Bounds = BOUNDS) -> None:
        self.token_keys = token_keys  # the present one, and those before it
        self._bounds = bounds
        self._policy = bounds.policy()  # of services that set nothing of their own
        self._suffix = f".services.{domain}".encode("ascii")
        facts = self._facts = Facts()
        self._projects: dict[str, Project] = facts.held[Kind.PROJECT]
        self._services: dict[str, Service] = facts.held[Kind.SERVICE]
        self._versions: dict[str, Version] = facts.held[Kind.VERSION]
        self._deployments: dict[str, Deployment] = facts.held[Kind.DEPLOYMENT]
        self._instances: dict[str, Instance] = facts.held[Kind.INSTANCE]
        self._waiting: dict[str, Health] = facts.held[Kind.HEALTH]  # verdicts on instances that are not known yet
        self._tokens: dict[str, Token] = facts.held[Kind.TOKEN]
        self._ended: dict[str, SignOut] = facts.held[Kind.SIGN_OUT]  # browsers' sessions
        self.certificates: Mapping[str, Certificate] = facts.held[Kind.CERTIFICATE]
        self.challenges: Mapping[str, Challenge] = facts.held[Kind.CHALLENGE]
        # Indexes over the facts.
        self._domains = Domains(self._suffix)
        self._instances_of: dict[str, tuple[str, ...]] = {}  # deployment id -> instance ids
        self._services_of: dict[str, tuple[str, ...]] = {}  # deployment id -> service ids
        self._token_ids: dict[bytes, str] = {}  # digest -> token id
        self.draining: set[str] = set()  # instances that take no new requests
        self._routable = 0  # instances that may be sent requests
        # Made so far.
        self.routes: dict[bytes, Route] = {}
        self._callers: dict[bytes, Caller] = {}  # digest of the token -> whose it is
        self._policies: dict[Policy, Policy] = {}  # most services' are the same
        self._recordings: dict[Recording, Recording] = {}
        self.access = object()  # another one whenever anything about tokens or permissions has changed
        self.in_step = True  # with the shared table; else a token that is not here may be a new one
        self.applied_sequence = 0
        self.unreadable = 0

    # -- look-ups -------------------------------------------------------------------------------------------

    def route(self, host: bytes) -> Route | None:
        """The route to a host; None when there is no such service."""
        return self.routes.get(host) or self._make_route(host)

    def caller(self, token: bytes) -> Caller | None:
        """Whose token it is; None when nobody's."""
        for key in self.token_keys:
            digest = token_digest(key, token)
            caller = self._callers.get(digest) or self._make_caller(digest)
            if caller is not None:
                return caller
        return None

    def visitor(self, session: Pass) -> Caller | None:
        """Who has signed in with a browser, perhaps by a token; None when that is over."""
        access = self._facts.held[Kind.ACCESS].get(session.subject_id)
        if access is None or access.signed_out(session.issued_ms):
            return None
        if self._ended and ended_key(session) in self._ended:
            return None
        if not session.token_id:
            return caller_of(f"browser-{session.subject_id}", session.subject_id, inf, access)
        token = self._tokens.get(session.token_id)
        return new_caller(session.token_id, token, access) if token is not None and not token.revoked else None

    def sign_outs(self) -> list[Entry]:
        """The sessions that were ended: what a table that takes this one's place must know too."""
        return [Entry(Kind.SIGN_OUT, key, each.at, 0, b"{}") for key, each in self._ended.items()]

    def say_in_step(self, in_step: bool) -> None:
        """Whether what is held is what the shared table has."""
        if in_step is not self.in_step:
            self.in_step = in_step
            self.access = object()

    def has_service(self, service_id: str) -> bool:
        return service_id in self._services

    def services(self) -> int:
        return len(self._services)

    def size(self) -> Size:
        """What is held, by number."""
        members = (*self._services_of.items(), *self._instances_of.items())
        return Size(
            entries=sum(map(len, self._facts.held.values())) - len(self._ended),
            services=len(self._services),
            routable=self._routable,
            certificates=len(self.certificates),
            unreadable=self.unreadable,
            dangling=sum(len(keys) for deployment_id, keys in members if deployment_id not in self._deployments),
        )

    def shed(self, count: int) -> bool:
        """Let go of some of what is held; False when nothing is left. For a table that is not used any more."""
        everything: list[dict[Any, Any]] = [self.routes, *self._facts.held.values()]
        for held in (*everything, self._services_of, self._instances_of):
            while held and count:
                held.popitem()
                count -= 1
        return not count

    # -- changes --------------------------------------------------------------------------------------------

    def apply(self, entries: Iterable[Entry]) -> set[Kind]:
        """Take what is newer; returns the kinds that changed."""
        kinds: set[Kind] = set()
        take, sequence_now = self._facts.take, self.applied_sequence
        for kind, key, revision, sequence, payload in entries:
            try:
                if kind is Kind.HEALTH:
                    taken = self._judge(key, revision, payload)
                else:
                    taken = take(kind, key, revision, payload) if kind in READ else None
            except (ValueError, RecursionError):
                self.unreadable += 1
                continue
            if sequence > sequence_now:
                sequence_now = sequence
            if taken is not None:
                kinds.add(kind)
                self._index(kind, key, *taken)
        self.applied_sequence = sequence_now
        if kinds & _ABOUT_ACCESS:
            self.access = object()
            self._callers.clear()
        return kinds

    def _index(self, kind: Kind, key: str, before: Any, after: Any) -> None:
        """Note where a thing is found, and forget the routes that are made of it."""
        match kind:
            case Kind.PROJECT:
                if (before is not None and before.suspended) != (after is not None and after.suspended):
                    self.routes.clear()  # rare, and not worth an index
            case Kind.INSTANCE:
                if after is not None and after.stopping:
                    self.draining.add(key)
                elif self.draining:
                    self.draining.discard(key)
                if after is not None:
                    self._hand_on_verdict(key, before, after)
                elif self._waiting:
                    self._waiting.pop(key, None)
                self._routable += (after is not None and after.routable()) - (before is not None and before.routable())
                self._move(self._instances_of, key, before, after)
            case Kind.SERVICE:
                self._move(self._services_of, key, before, after)
                self._forget_route(key)
            case Kind.VERSION:
                now = (after.keeps(), after.identity_path()) if after is not None else None
                if ((before.keeps(), before.identity_path()) if before is not None else None) != now:
                    self._forget_routes((after or before).deployment_id)
            case Kind.DOMAIN:
                for host in self._domains.change(before, after):
                    self.routes.pop(host, None)
            case Kind.DEPLOYMENT:
                self._forget_routes(key)
            case Kind.SIGN_OUT:
                if after is not None:
                    forget_ended(self._ended, after.at)
            case Kind.TOKEN:
                if before is not None:
                    self._token_ids.pop(bytes.fromhex(before.digest), None)
                if after is not None and not after.revoked:
                    self._token_ids[bytes.fromhex(after.digest)] = key
            case _:
                pass

    def _judge(self, key: str, revision: int, payload: bytes | None) -> tuple[Any, Any] | None:
        """Take a verdict over into its instance; one that comes before its instance waits."""
        instance = self._instances.get(key)
        if instance is None:
            gone = key in self._facts.gone[Kind.INSTANCE]
            return None if gone else self._facts.take(Kind.HEALTH, key, revision, payload)
        if revision <= instance.judged_at:
            return None
        fit = payload is not None and READ[Kind.HEALTH](payload).fit()
        if fit is not instance.fit:
            self._routable += 0 if instance.stopping else 1 if fit else -1
            self._forget_routes(instance.deployment_id)
            instance.fit_since = revision
        instance.fit, instance.judged_at = fit, revision
        return instance, instance

    def _hand_on_verdict(self, key: str, before: Instance | None, after: Instance) -> None:
        if before is not None:
            after.fit, after.judged_at, after.fit_since = before.fit, before.judged_at, before.fit_since
        elif self._waiting and (verdict := self._waiting.pop(key, None)) is not None:
            after.fit, after.judged_at, after.fit_since = verdict.fit(), verdict.at, verdict.at

    def _move(self, index: dict[str, tuple[str, ...]], key: str, before: Any, after: Any) -> None:
        if before is not None and (after is None or after.deployment_id != before.deployment_id):
            left = tuple(each for each in index[before.deployment_id] if each != key)
            if left:
                index[before.deployment_id] = left
            else:
                del index[before.deployment_id]
            self._forget_routes(before.deployment_id)
        if after is not None:
            if before is None or after.deployment_id != before.deployment_id:
                index[after.deployment_id] = (*index.get(after.deployment_id, ()), key)
            self._forget_routes(after.deployment_id)

    def _forget_routes(self, deployment_id: str) -> None:
        if self.routes:  # none while a table is loaded
            for service_id in self._services_of.get(deployment_id, ()):
                self._forget_route(service_id)

    def _forget_route(self, service_id: str) -> None:
        self.routes.pop(self._host(service_id), None)
        for host in self._domains.hosts_of(service_id):
            self.routes.pop(host, None)

    # -- making ---------------------------------------------------------------------------------------------

    def _host(self, service_id: str) -> bytes:
        return service_id.encode("ascii", "replace") + self._suffix

    def _make_route(self, host: bytes) -> Route | None:
        if host.endswith(self._suffix):
            service_id = intern(host.removesuffix(self._suffix).decode("ascii", "replace"))
        else:
            service_id = self._domains.service_of(host)
        service = self._services.get(service_id)
        if service is None:
            return None
        deployment = self._deployments.get(service.deployment_id)
        version_id = service.version_id or (deployment and deployment.default_version_id) or ""
        route = self._to_version(host, service_id, service, version_id)
        split = service.settings.split
        if split is not None and split.version_id != version_id:
            route = divided(route, self._to_version(host, service_id, service, split.version_id), split)
        self.routes[host] = route
        return route

    def _to_version(self, host: bytes, service_id: str, service: Service, version_id: str) -> Route:
        policy = shared(policy_of(service.settings, self._bounds, self._policy), self._policies, POLICIES)
        project = self._projects.get(service.project_id)
        return new_route(
            host,
            service_id,
            service,
            version_id,
            policy,
            self._instances_by_id(service.deployment_id),
            suspended=project is not None and project.suspended is not False,
            recording=self._recording(service, version_id),
            made_at=self.applied_sequence,
            identity_path=version.identity_path() if (version := self._versions.get(version_id)) is not None else "/",
        )

    def _recording(self, service: Service, version_id: str) -> Recording:
        """What is written down of its requests: one object for all that have the same settings."""
        return shared(recording_of(service.settings, self._versions.get(version_id)), self._recordings, POLICIES)

    def _instances_by_id(self, deployment_id: str) -> Iterator[tuple[str, Instance]]:
        """A deployment's instances, in the same order in every worker."""
        for key in sorted(self._instances_of.get(deployment_id, ())):
            yield key, self._instances[key]

    def _make_caller(self, digest: bytes) -> Caller | None:
        token_id = self._token_ids.get(digest)
        if token_id is None:
            return None
        token = self._tokens[token_id]
        access = self._facts.held[Kind.ACCESS].get(token.subject_id)
        caller = self._callers[digest] = new_caller(token_id, token, access)
        return caller
