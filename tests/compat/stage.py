"""What a UbiOps user has before the interesting part: a deployment with a version, exposed and running.

The library makes everything but the instance: registering one by its address is Narthex's own (DESIGN section 11).
"""

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from unittest import mock

import requests
import ubiops
from compat.application import Application
from compat.stock import TIMEOUT_S, Raw, fresh, library, raw

from narthex.testing.system import System
from narthex.testing.waiting import eventually_sync

PASSWORD = "correct horse 7"
HOOKS = "127.0.0.2"  # where webhooks may go; the other loopback addresses are internal, and refused


@dataclass
class Stage:
    """A live system, its administrator's clients, and a project for the tests."""

    system: System
    core: ubiops.CoreApi
    raw: Raw
    project: str

    def deployment(self, prefix: str = "dep", **more: Any) -> str:
        """A new deployment of a plain HTTP application."""
        name = fresh(prefix)
        data = ubiops.DeploymentCreate(name=name, supports_request_format=False, **more)
        self.core.deployments_create(self.project, data)
        return name

    def version(self, deployment: str, version: str = "v1", **more: Any) -> ubiops.DeploymentVersionDetail:
        """A new version whose application says at /health that it is well."""
        check = ubiops.HealthCheck(path="/health", interval=1)
        data = ubiops.DeploymentVersionCreate(**{"version": version, "health_check": check, **more})
        return self.core.deployment_versions_create(self.project, deployment, data)

    def service(self, deployment: str, prefix: str = "svc", **more: Any) -> ubiops.ServiceDetail:
        data = ubiops.ServiceCreate(**{"name": fresh(prefix), "deployment": deployment, "port": 9000, **more})
        return self.core.services_create(self.project, data)

    def register(self, deployment: str, application: Application, version: str = "v1") -> str:
        """Register a running application as an instance of a version; its id."""
        path = f"/projects/{self.project}/deployments/{deployment}/versions/{version}/instances"
        instance: str = self.raw.made(path, {"address": "127.0.0.1", "port": application.port})["id"]
        return instance

    def ready(self, service: ubiops.ServiceDetail) -> None:
        """Wait until a service has an instance, and every router knows."""
        eventually_sync(lambda: self.core.services_status_get(self.project, service.name).ready)
        self.propagated(service.name)

    def propagated(self, service: str) -> None:
        """Wait until every router serves by the newest state of a service."""
        path = f"/projects/{self.project}/services/{service}/propagation"
        eventually_sync(lambda: self.raw.get(path).json()["applied"])

    def service_user(self, **more: Any) -> ubiops.ServiceUserTokenDetail:
        """A service user without any role; its token is in the answer."""
        return self.core.service_users_create(self.project, ubiops.ServiceUserCreate(name=fresh("su"), **more))

    def assign(self, role: str, assignee: str, *, resource: str = "", resource_type: str = "") -> str:
        """Give a role; the assignment's id."""
        on = {"resource": resource, "resource_type": resource_type} if resource else {}
        data = ubiops.RoleAssignmentCreate(role=role, assignee=assignee, assignee_type="user", **on)
        return str(self.core.role_assignments_create(self.project, data).id)

    def person(self) -> tuple[str, str]:
        """A person of the organization who can sign in with PASSWORD: e-mail and id."""
        email = f"{fresh('ada')}@example.com"
        self.core.user_create(ubiops.UserPendingCreate(email=email, password=PASSWORD, name="Ada", surname="L"))
        member = self.core.organization_users_create("default", ubiops.OrganizationUserCreate(email=email, admin=False))
        return email, member.id

    def signed_in(self, email: str) -> ubiops.CoreApi:
        """The library after signing in with e-mail and PASSWORD, as the CLI does it."""
        answer = raw(self.system).post("/authorize", {"email": email, "password": PASSWORD})
        assert answer.status_code == 200, answer.text
        core = library(self.system, answer.json()["access"])
        core.api_client.configuration.api_key_prefix["Authorization"] = "Bearer"
        return core

    def call(
        self, service: ubiops.ServiceDetail, path: str = "/hello", *, authorization: str | None = None, **more: Any
    ) -> requests.Response:
        """Ask a service at the URL that the API gave, as a script does; as administrator unless told otherwise."""
        headers = {"Authorization": f"Token {self.system.token}" if authorization is None else authorization}
        return requests.request(
            more.pop("method", "GET"),
            service.endpoint + path,
            headers={name: value for name, value in headers.items() if value} | more.pop("headers", {}),
            verify=str(self.system.root_pem),
            timeout=TIMEOUT_S,
            **more,
        )


@dataclass(frozen=True)
class Served:
    """A service with a running instance, and the requests that were made through it."""

    stage: Stage
    deployment: str
    version: ubiops.DeploymentVersionDetail
    service: ubiops.ServiceDetail
    instance: str
    application: Application
    requests: dict[str, str]  # path: request id


@contextmanager
def localhost_names() -> Iterator[None]:
    """`*.localhost` is this machine (RFC 6761); not every resolver knows."""
    resolve = socket.getaddrinfo

    def loopback(host: Any, *rest: Any, **more: Any) -> Any:
        return resolve("127.0.0.1" if str(host).endswith(".localhost") else host, *rest, **more)

    with mock.patch.object(socket, "getaddrinfo", loopback):
        yield


def make_stage(system: System, core: ubiops.CoreApi, project: str) -> Stage:
    return Stage(system, core, raw(system, system.token), project)
