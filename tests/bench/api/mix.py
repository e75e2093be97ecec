"""The mix: what scripts, dashboards and CI send to a control plane. 70 % read, 20 % change, 10 % make and unmake."""

import json
import random
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from bench.api.load import Request
from bench.api.registry import Running

DEPLOYMENTS = 20
SERVICES = 400  # in ten projects
PROJECTS = 10
_DONE = frozenset({200, 201, 204})


def seed(registry: Running) -> None:
    """Ten projects, each with deployments, versions, instances and forty services."""
    for number in range(PROJECTS):
        project = f"team-{number}"
        registry.call("POST", "/v2.1/projects", {"name": project, "organization_name": "default"})
        root = f"/v2.1/projects/{project}"
        for one in range(DEPLOYMENTS // PROJECTS):
            registry.call("POST", f"{root}/deployments", {"name": f"app-{one}", "labels": {"team": "red"}})
            path = f"{root}/deployments/app-{one}/versions"
            for version in ("v1", "v2"):
                registry.call("POST", path, {"version": version, "health_check": {"path": "/live"}})
                for port in (9000, 9001):
                    registry.call("POST", f"{path}/{version}/instances", {"address": "127.0.0.1", "port": port})
        for one in range(SERVICES // PROJECTS):
            body = {
                "name": f"web-{one}",
                "deployment": f"app-{one % 2}",
                "port": 8080,
                "labels": {"tier": str(one % 3)},
            }
            registry.call("POST", f"{root}/services", body)


class Mix:
    """Makes the next request; what it deletes is what it has created before."""

    def __init__(self, token: str, chance: random.Random) -> None:
        self._token = token
        self._chance = chance
        self._made: list[tuple[str, str]] = []
        self._count = 0

    def __call__(self) -> Request:
        kinds = list(MIX)
        kind = self._chance.choices(kinds, [MIX[kind][0] for kind in kinds])[0]
        method, path, body = MIX[kind][1](self)
        return self._request(kind, method, path, body)

    def request(self, kind: str, method: str, path: str, body: Any = None) -> Request:
        return self._request(kind, method, path, body)

    def refused(self, path: str) -> Request:
        """A request that must be answered 401."""
        return replace(self._request("refused", "GET", path, None), right=frozenset({401}))

    def project(self) -> str:
        return f"/v2.1/projects/team-{self._chance.randrange(PROJECTS)}"

    def deployment(self) -> str:
        return f"{self.project()}/deployments/app-{self._chance.randrange(DEPLOYMENTS // PROJECTS)}"

    def version(self) -> str:
        return f"{self.deployment()}/versions/v{self._chance.randint(1, 2)}"

    def service(self) -> str:
        return f"{self.project()}/services/web-{self._chance.randrange(SERVICES // PROJECTS)}"

    def number(self) -> int:
        return self._chance.randint(1, 10_000)

    def new_service(self) -> tuple[str, str, Any]:
        self._count += 1
        project, name = self.project(), f"new-{self._count}"
        self._made.append((project, name))
        body = {"name": name, "deployment": "app-0", "port": 8080, "rate_limit": 600, "description": "made by the mix"}
        return "POST", f"{project}/services", body

    def old_service(self) -> tuple[str, str, Any]:
        """One that was made a while ago, so that its making has surely been answered."""
        if len(self._made) < 50:
            return self.new_service()
        project, name = self._made.pop(0)
        return "DELETE", f"{project}/services/{name}", None

    def _request(self, kind: str, method: str, path: str, body: Any) -> Request:
        content = b"" if body is None else json.dumps(body).encode()
        lines = [f"{method} {path} HTTP/1.1", "host: 127.0.0.1", f"authorization: Token {self._token}"]
        if content:
            lines += ["content-type: application/json", f"content-length: {len(content)}"]
        return Request(kind, "\r\n".join([*lines, "", ""]).encode() + content, _DONE)


MIX: dict[str, tuple[float, Callable[[Mix], tuple[str, str, Any]]]] = {
    "get service": (24, lambda mix: ("GET", mix.service(), None)),
    "get service status": (8, lambda mix: ("GET", mix.service() + "/status", None)),
    "get deployment": (8, lambda mix: ("GET", mix.deployment(), None)),
    "get version": (8, lambda mix: ("GET", mix.version(), None)),
    "get project": (4, lambda mix: ("GET", mix.project(), None)),
    "list services (40)": (8, lambda mix: ("GET", mix.project() + "/services", None)),
    "list deployments": (4, lambda mix: ("GET", mix.project() + "/deployments", None)),
    "list versions": (3, lambda mix: ("GET", mix.deployment() + "/versions", None)),
    "list instances": (3, lambda mix: ("GET", mix.version() + "/instances", None)),
    "patch service": (14, lambda mix: ("PATCH", mix.service(), {"rate_limit": mix.number()})),
    "patch version": (3, lambda mix: ("PATCH", mix.version(), {"labels": {"build": str(mix.number())}})),
    "patch deployment": (3, lambda mix: ("PATCH", mix.deployment(), {"description": f"build {mix.number()}"})),
    "create service": (5, lambda mix: mix.new_service()),
    "delete service": (5, lambda mix: mix.old_service()),
}
