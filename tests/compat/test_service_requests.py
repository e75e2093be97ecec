"""What Narthex adds to the request log: a service's requests with filters, why each went so, and all as they come."""

import base64
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import requests
from compat.stage import Served, Stage
from compat.stock import fresh

from narthex.testing.waiting import eventually_sync

SEEN_WITHIN_S = 10.0
CANARY = "canary-b81d"
SIDES = ("request", "response")


def listed(stage: Stage, service: str, **query: Any) -> dict[str, Any]:
    answer = stage.raw.call("GET", f"/projects/{stage.project}/services/{service}/requests", params=query)
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


def ids(stage: Stage, service: str, **query: Any) -> list[str]:
    return [record["id"] for record in listed(stage, service, **query)["results"]]


@pytest.fixture(scope="module")
def logged(served: Served) -> Served:
    wanted = set(served.requests.values())
    eventually_sync(lambda: wanted <= set(ids(served.stage, served.service.name)), within_s=SEEN_WITHIN_S)
    return served


def test_each_filter_finds_its_requests(logged: Served) -> None:
    stage, service, made = logged.stage, logged.service.name, logged.requests
    of = {
        "status": ("5xx", "/status/500"),
        "method": ("POST", "/echo"),
        "path": ("^/status/4", "/status/404"),
        "body": ("question", "/echo"),
    }
    for name, (value, path) in of.items():
        found = ids(stage, service, **{name: value})
        assert made[path] in found, name
        assert made["/hello"] not in found, name
    assert set(ids(stage, service, instance=logged.instance)) >= set(made.values())
    assert ids(stage, service, instance="nope") == ids(stage, service, slower_than_ms=3_600_000) == []
    assert stage.raw.get(f"/projects/{stage.project}/services/{service}/requests?path=(").status_code == 400


def test_pages_follow_one_another_by_cursor(logged: Served) -> None:
    stage, service = logged.stage, logged.service.name
    whole = listed(stage, service)
    first = listed(stage, service, limit=2)
    second = listed(stage, service, limit=2, cursor=first["next"])
    both = [record["id"] for record in first["results"] + second["results"]]
    assert both == [record["id"] for record in whole["results"]][:4]
    assert whole["lost"] == {}


def test_one_request_is_shown_with_its_contents(logged: Served) -> None:
    path = f"/projects/{logged.stage.project}/services/{logged.service.name}/requests/{logged.requests['/echo']}"
    shown = logged.stage.raw.get(path).json()
    assert (shown["deployment"], shown["version"], shown["user"]) == (logged.deployment, "v1", "admin@localhost")
    assert shown["request"]["request_body"] == shown["request"]["response_body"] != ""
    headers = dict(json.loads(shown["request"]["request_headers"]))
    assert headers["authorization"] == "[redacted]"


def test_a_request_is_explained_by_what_was_then(logged: Served) -> None:
    path = f"/projects/{logged.stage.project}/services/{logged.service.name}/requests/{logged.requests['/status/500']}"
    why = logged.stage.raw.get(f"{path}/explain").json()
    assert why["sentence"].endswith("the error is the application's own.")
    [instance] = why["instances"]
    assert (instance["id"], instance["health"], instance["tried"]) == (logged.instance, "healthy", True)
    assert {"service_created", "instance_health_changed"} <= {event["type"] for event in why["events"]}
    assert why["request"]["route_sequence"] > 0
    by_id = f"/projects/{logged.stage.project}/requests/{logged.requests['/status/500']}/explain"
    assert logged.stage.raw.get(by_id).json() == why


def test_requests_of_other_services_are_not_there(logged: Served) -> None:
    stage = logged.stage
    other = stage.service(logged.deployment, "other")
    path = f"/projects/{stage.project}/services/{other.name}/requests/{logged.requests['/hello']}"
    assert stage.raw.get(path).status_code == 404
    assert stage.raw.get(f"{path}/explain").status_code == 404


@contextmanager
def watching(stage: Stage, service: str, **filters: str) -> Iterator[list[dict[str, Any]]]:
    """The records that the stream brings, as they come."""
    url = f"{stage.system.api_url}/v2.1/projects/{stage.project}/services/{service}/requests/stream"
    headers = {"Authorization": f"Token {stage.system.token}"}
    records: list[dict[str, Any]] = []
    with requests.get(url, params=filters, headers=headers, stream=True, timeout=30) as answer:
        assert answer.status_code == 200, answer.text
        lines = answer.iter_lines()
        next(lines)  # it listens

        def read() -> None:
            try:
                for line in lines:
                    records.extend([json.loads(line[6:])] if line.startswith(b"data: ") else [])
            except (requests.RequestException, AttributeError, ValueError):
                pass  # closed by the test

        reader = threading.Thread(target=read, daemon=True)
        reader.start()
        yield records
        answer.close()


def test_requests_are_seen_as_they_come(served: Served) -> None:
    stage, service = served.stage, served.service
    with watching(stage, service.name) as every, watching(stage, service.name, status="4xx", path="404$") as some:

        def both_seen() -> bool:
            stage.call(service, "/hello")
            stage.call(service, "/status/404")
            return bool(some) and len(every) > 1

        eventually_sync(both_seen, within_s=SEEN_WITHIN_S)
    assert {record["path"] for record in some} == {"/status/404"}
    assert {record["path"] for record in every} >= {"/hello", "/status/404"}
    assert all(record["service_id"] == service.id and not record["request_body"] for record in every)


def test_what_is_redacted_leaves_no_trace_in_the_whole_installation(served: Served) -> None:
    stage = served.stage
    service = stage.service(served.deployment, fresh("canary"))
    settings = {"request_logging_redact_headers": ["X-Secret"], "request_logging_redact_fields": ["password"]}
    path = f"/projects/{stage.project}/services/{service.name}"
    assert stage.raw.patch(path, settings).json()["request_logging_redact_fields"] == ["password"]
    stage.ready(service)
    with watching(stage, service.name) as seen:

        def is_seen() -> bool:
            stage.call(
                service,
                f"/echo?password={CANARY}",
                method="POST",
                json={"user": {"password": CANARY}},
                headers={"X-Secret": CANARY, "Cookie": f"session={CANARY}"},
            )
            return bool(seen)

        eventually_sync(is_seen, within_s=SEEN_WITHIN_S)
    eventually_sync(lambda: ids(stage, service.name), within_s=SEEN_WITHIN_S)
    texts = [json.dumps(seen)]
    for id in ids(stage, service.name):
        shown = stage.raw.get(f"{path}/requests/{id}").json()
        assert shown["request"]["request_body"]
        texts += [json.dumps(shown), *(base64.b64decode(shown["request"][f"{side}_body"]).decode() for side in SIDES)]
    for file in stage.system.data_dir.rglob("*"):
        if file.is_file() and file.suffix in (".log", ".json", ".blk", ".db"):
            texts.append(file.read_bytes().decode(errors="replace"))
    assert len(texts) > 5
    assert not any(CANARY in text for text in texts)
