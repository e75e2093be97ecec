"""The deployment, version and service behind a run: found, or made. What is there is never changed."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeVar

from narthex.cli.run.plan import Plan
from narthex.cli.session import body
from narthex.client.client import Client
from narthex.client.errors import ApiError
from narthex.contracts.api import (
    DeploymentCreate,
    DeploymentDetail,
    HealthCheckBody,
    ServiceCreate,
    ServiceDetail,
    VersionCreate,
    VersionDetail,
)
from narthex.contracts.errors import Misconfigured, NarthexError

T = TypeVar("T")


@dataclass(frozen=True)
class Wanted:
    """The request bodies for what may be missing."""

    deployment: DeploymentCreate
    version: VersionCreate
    service: ServiceCreate


def wanted(plan: Plan) -> Wanted:
    """What to make if it is missing; Misconfigured when a name, port or path breaks a rule."""
    check = None if plan.health_path is None else body(HealthCheckBody, path=plan.health_path)
    return Wanted(
        body(DeploymentCreate, name=plan.name, supports_request_format=False),
        body(VersionCreate, version=plan.version, health_check=check),
        body(
            ServiceCreate,
            name=plan.name,
            deployment=plan.name,
            port=plan.port,
            authentication_required=False if plan.public else None,
        ),
    )


@dataclass
class Objects:
    """Finds or makes, says which, and can undo what it made."""

    api: Client
    say: Callable[[str], None]
    _undo: list[Callable[[], None]] = field(default_factory=list)

    def ensure(self, plan: Plan) -> ServiceDetail:
        """The service of the plan, with its deployment and version. On failure nothing is left that was not there."""
        bodies = wanted(plan)
        self._check_service_is_ours(plan)
        try:
            deployment = self._deployment(bodies.deployment)
            version = self._version(plan.name, bodies.version)
            service = self._service(bodies.service)
        except NarthexError:
            self._take_back()
            raise
        for note in surprises(plan, deployment, version, service):
            self.say(f"note: {note}")
        return service

    def _check_service_is_ours(self, plan: Plan) -> None:
        found = self.api.services.find(plan.name)
        if found is not None and found.deployment != plan.name:
            raise Misconfigured(
                f"service {plan.name} exists and serves deployment {found.deployment}: choose another name"
            )

    def _deployment(self, wanted: DeploymentCreate) -> DeploymentDetail:
        return self._find_or_make(
            f"deployment {wanted.name}",
            lambda: self.api.deployments.find(wanted.name),
            lambda: self.api.deployments.create(wanted),
            lambda: self.api.deployments.delete(wanted.name),
        )

    def _version(self, deployment: str, wanted: VersionCreate) -> VersionDetail:
        return self._find_or_make(
            f"version {wanted.version}",
            lambda: self.api.versions.find(deployment, wanted.version),
            lambda: self.api.versions.create(deployment, wanted),
            lambda: self.api.versions.delete(deployment, wanted.version),
        )

    def _service(self, wanted: ServiceCreate) -> ServiceDetail:
        return self._find_or_make(
            f"service {wanted.name}",
            lambda: self.api.services.find(wanted.name),
            lambda: self.api.services.create(wanted),
            lambda: self.api.services.delete(wanted.name),
        )

    def _find_or_make(
        self, what: str, find: Callable[[], T | None], make: Callable[[], T], undo: Callable[[], None]
    ) -> T:
        found = find()
        if found is None:
            try:
                made = make()
            except ApiError as error:
                found = find() if error.status == 409 else None  # somebody else was quicker
                if found is None:
                    raise
            else:
                self._undo.append(undo)
                self.say(f"made {what}")
                return made
        self.say(f"found {what}")
        return found

    def _take_back(self) -> None:
        for undo in reversed(self._undo):
            try:
                undo()
            except NarthexError:
                return  # the failure that led here is the one to report


def surprises(plan: Plan, deployment: DeploymentDetail, version: VersionDetail, service: ServiceDetail) -> list[str]:
    """Where what was found differs from what was asked for: it is kept, and that is worth a line."""
    notes = []
    served = service.version or deployment.default_version
    if served not in (None, version.version):
        notes.append(f"service {service.name} serves version {served}, not {version.version}")
    if service.port != plan.port:
        notes.append(f"service {service.name} has port {service.port}; these instances use {plan.port}")
    if plan.public and service.authentication_required:
        notes.append(f"service {service.name} still asks for a token: narthex services update {service.name} --public")
    path = (version.health_check or {}).get("path")
    if plan.health_path is not None and path != plan.health_path:
        notes.append(f"version {version.version} is still probed at {path or 'its port'}, not {plan.health_path}")
    return notes
