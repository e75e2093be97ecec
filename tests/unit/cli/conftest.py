"""Commands run in this process against a small API in memory, which speaks in the real models."""

import json
from collections.abc import Callable, Sequence
from itertools import count

import httpx2
import pytest
from typer.testing import CliRunner, Result

from narthex.cli.app import app
from narthex.cli.session import Session
from narthex.contracts import api

TIME = "2026-01-01T00:00:00Z"
Answer = tuple[int, object]


class FakeApi:
    """Projects, deployments, versions, instances and services by path, with the checks that commands rely on."""

    def __init__(self) -> None:
        self.things: dict[str, dict[str, object]] = {}
        self.answers: dict[tuple[str, str], Answer] = {}  # prepared ones, by method and path
        self.asked: list[tuple[str, str, dict[str, object]]] = []
        self.queries: list[dict[str, str]] = []
        self._ids = count(1)
        self.put("projects/default", {"name": "default", "organization_name": "default"})

    def put(self, path: str, body: dict[str, object]) -> dict[str, object]:
        self.things[path] = {"id": f"id-{next(self._ids)}", **body}
        return self.things[path]

    def answer(self, method: str, path: str, body: dict[str, object]) -> Answer:
        path = path.removeprefix("/v2.1/")
        self.asked.append((method, path, body))
        if (method, path) in self.answers:
            return self.answers[method, path]
        parts = path.split("/")
        if method == "PUT":
            path, parts = path.removesuffix("/lease"), parts[:-1]
        if len(parts) % 2:
            parent = "/".join(parts[:-1])
            if parent and parent not in self.things:
                return missing(parts[-2])
            return self._make(path, body) if method == "POST" else (200, self._list(path))
        return self._one(method, path, body)

    def _list(self, path: str) -> object:
        found = [
            rendered(key.split("/"), thing)
            for key, thing in self.things.items()
            if key.rpartition("/")[0] == path or (path.endswith("/instances") and "/instances/" in key)
        ]
        return {"next": None, "previous": None, "results": found} if path.endswith("/instances") else found

    def _make(self, path: str, body: dict[str, object]) -> Answer:
        name = body.get("name") or body.get("version") if not path.endswith("/instances") else f"i-{next(self._ids)}"
        key = f"{path}/{name}"
        if key in self.things:
            return 409, {"error": f"name: there is already a {name}", "code": "conflict"}
        thing = self.put(key, body)
        if path.endswith("/instances"):
            thing["id"] = name
        return 201, rendered(key.split("/"), thing)

    def _one(self, method: str, path: str, body: dict[str, object]) -> Answer:
        if path not in self.things:
            return missing(path.split("/")[-2])
        if method == "DELETE":
            del self.things[path]
            return 204, None
        self.things[path].update(body)
        return 200, rendered(path.split("/"), self.things[path])

    def __call__(self, request: httpx2.Request) -> httpx2.Response:
        self.queries.append(dict(request.url.params))
        body = json.loads(request.content) if request.content else {}
        status, answer = self.answer(request.method, request.url.path, body)
        return httpx2.Response(status, json=answer) if answer is not None else httpx2.Response(status)


def missing(kind: str) -> Answer:
    return 404, {"error": f"there is no such {kind.removesuffix('s')}", "code": "not_found"}


def rendered(parts: Sequence[str], thing: dict[str, object]) -> object:
    """The thing as its real response model."""
    noun, times = parts[-2], {"time_created": TIME, "time_updated": TIME}
    dates = {"creation_date": TIME, "last_updated": TIME}
    models: dict[str, Callable[[], object]] = {
        "projects": lambda: api.ProjectDetail.model_validate({**dates, **thing}),
        "deployments": lambda: api.DeploymentDetail.model_validate({"project": parts[1], **dates, **thing}),
        "versions": lambda: api.VersionDetail.model_validate({"deployment": parts[3], **dates, **thing}),
        "services": lambda: api.ServiceDetail.model_validate(
            {**times, "endpoint": f"https://{thing['id']}.services.localhost:8443", **thing}
        ),
        "instances": lambda: api.InstanceDetail.model_validate(
            {**times, "status": "running", "health": "healthy", "deployment": parts[3], "version": parts[5], **thing}
        ),
    }
    return models[noun]().model_dump(mode="json")  # type: ignore[attr-defined]


@pytest.fixture
def fake() -> FakeApi:
    return FakeApi()


Run = Callable[..., Result]


@pytest.fixture
def run(fake: FakeApi, monkeypatch: pytest.MonkeyPatch, tmp_path: object) -> Run:
    """Runs a command; its transport is the fake API unless another is given."""
    monkeypatch.setenv("NARTHEX_API_URL", "http://api.test")
    monkeypatch.setenv("NARTHEX_TOKEN", "nx_test")
    monkeypatch.chdir(str(tmp_path))

    def invoke(*arguments: str, transport: httpx2.BaseTransport | None = None) -> Result:
        session = Session(transport=transport or httpx2.MockTransport(fake))
        return CliRunner().invoke(app, list(arguments), obj=session)

    return invoke
