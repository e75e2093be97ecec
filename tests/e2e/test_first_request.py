"""The first HTTPS request and what belongs to it, told as a user's journey against real applications."""

import asyncio
import hashlib
import json
import os
import signal
import threading
import time
from collections.abc import Iterator
from itertools import pairwise

import httpx2
import pytest
import websockets
from e2e.conftest import Caller

from narthex.testing.system import NARTHEX, System, start
from narthex.testing.waiting import eventually_sync, until


def test_requests_are_answered_by_both_replicas(fastapi_service: Caller) -> None:
    # `narthex run` is ready with its first replica; the second follows.
    eventually_sync(lambda: len({fastapi_service.get("/who").json()["pid"] for _ in range(10)}) == 2)


def test_without_a_token_the_answer_is_a_401_that_says_so(fastapi_service: Caller) -> None:
    answer = fastapi_service.get("/who", token=False)
    assert answer.status_code == 401
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["code"] == "token_missing"
    assert answer.json()["request_id"] == answer.headers["x-request-id"]


def test_the_application_learns_who_calls_and_never_the_token(fastapi_service: Caller, system: System) -> None:
    seen = fastapi_service.get("/seen").json()
    assert "authorization" not in seen
    assert system.token not in json.dumps(seen)
    assert seen["x-narthex-user"]
    assert seen["x-forwarded-proto"] == "https"
    assert seen["host"] == f"{fastapi_service.host}:{system.https_port}"


def test_plain_http_is_sent_to_https(fastapi_service: Caller, system: System) -> None:
    answer = httpx2.get(f"http://127.0.0.1:{system.http_port}/a?b", headers={"Host": fastapi_service.host})
    assert answer.status_code == 308
    assert answer.headers["location"] == f"https://{fastapi_service.host}:{system.https_port}/a?b"


def test_a_stream_arrives_event_by_event(fastapi_service: Caller) -> None:
    with fastapi_service.http.stream(
        "GET", "/events", headers=fastapi_service.authorization, extensions={"sni_hostname": fastapi_service.host}
    ) as answer:
        arrived = [time.monotonic() for line in answer.iter_lines() if line.startswith("data:")]
    gaps = [later - earlier for earlier, later in pairwise(arrived)]
    assert len(arrived) == 5
    assert min(gaps) > 0.03  # the application waits 0.1 s between two: none was held back for another


async def test_a_websocket_echoes(fastapi_service: Caller) -> None:
    async with websockets.connect(
        f"wss://{fastapi_service.host}:{fastapi_service.port}/echo",
        host="127.0.0.1",
        ssl=fastapi_service.trust,
        additional_headers=fastapi_service.authorization,
        proxy=None,
    ) as socket:
        for text in ("one", "two"):
            await socket.send(text)
            assert await socket.recv() == text.upper()


def test_a_hundred_megabytes_go_up_and_come_down_whole(fastapi_service: Caller) -> None:
    piece = os.urandom(1 << 20)
    digest = hashlib.sha256()

    def body() -> Iterator[bytes]:
        for _ in range(100):
            digest.update(piece)
            yield piece

    answer = fastapi_service.request("POST", "/upload", content=body())
    assert answer.json() == {"size": 100 << 20, "sha256": digest.hexdigest()}
    assert len(fastapi_service.get("/download/100").content) == 100 << 20


def test_a_form_reaches_flask_and_its_statuses_come_back(flask_service: Caller) -> None:
    answer = flask_service.request("POST", "/form", data={"name": "Ünï"})
    assert answer.json()["name"] == "Ünï"
    assert [flask_service.get(f"/status/{code}").status_code for code in (200, 404, 500)] == [200, 404, 500]


async def test_requests_show_in_the_log_with_status_time_and_replica(flask_service: Caller, system: System) -> None:
    request_id = flask_service.get("/status/418?tea=1").headers["x-request-id"]

    def logged() -> list[dict[str, object]]:
        return [each for each in system.json("requests", "list", "flask") if each["id"] == request_id]

    await until(logged, within_s=10)
    [record] = logged()
    [instance] = system.json("instances", "list", "flask", "v1")
    assert (record["status"], record["path"], record["query"]) == (418, "/status/418", "tea=1")
    assert record["instance_id"] == instance["id"]
    assert float(str(record["total_ms"])) > 0


async def test_events_tell_what_happens_as_it_happens(system: System) -> None:
    tail = start([*NARTHEX, "events", "tail", "--json"], system.environment(), system.data_dir)
    try:

        def told() -> bool:
            system.cli("deployments", "create", "told", check=False)
            system.cli("deployments", "delete", "told", check=False)
            return any("DeploymentCreated" in line for line in tail.output.lines)

        await until(told, within_s=20)
    finally:
        tail.stop(signal.SIGINT)


def test_the_certificate_is_listed(system: System) -> None:
    [certificate] = system.json("certs", "list")
    assert certificate["hosts"] == ["*.services.localhost"]


async def test_killing_a_replica_costs_no_request(fastapi_service: Caller, system: System) -> None:
    statuses: list[int] = []
    failures: list[str] = []
    broken: list[str] = []
    stop = threading.Event()

    def load() -> None:
        while not stop.is_set():
            try:
                answer = fastapi_service.get("/who")
            except httpx2.RemoteProtocolError as error:  # the replica's head came, and no body: it died in between
                broken.append(str(error))
                continue
            if answer.status_code != 200:
                failures.append(answer.text)
            statuses.append(answer.status_code)

    before = {fastapi_service.get("/who").json()["pid"] for _ in range(10)}
    victim = min(before)
    thread = threading.Thread(target=load)
    thread.start()
    try:
        await until(lambda: len(statuses) > 50)
        os.kill(victim, signal.SIGKILL)
        count = len(statuses)

        def replaced() -> bool:
            pids = {fastapi_service.get("/who").json().get("pid", 0) for _ in range(6)}
            return len(statuses) > count + 100 and len(pids) == 2 and victim not in pids

        await asyncio.to_thread(lambda: asyncio.run(until(replaced, within_s=30)))
    finally:
        stop.set()
        thread.join()
    assert failures == []
    assert len(broken) <= 1


@pytest.mark.parametrize(
    ("change", "status", "says"),
    [
        ({"port": 80}, 400, "port: must be between 1025 and 65535"),
        ({"port": "9000"}, 400, "port: "),
        ({"name": "Bad_Name"}, 400, "name: must be 1 to 64 characters"),
        ({"deployment": "nowhere"}, 400, "nowhere"),
        ({"colour": "red"}, 400, "colour: "),
        ({"name": "fast"}, 409, "fast"),
    ],
)
def test_a_wrong_field_is_named_with_its_rule(
    fastapi_service: Caller, system: System, change: dict[str, object], status: int, says: str
) -> None:
    answer = httpx2.post(
        f"{system.api_url}/v2.1/projects/default/services",
        json={"name": "x", "deployment": "fast", "port": 9000} | change,
        headers=fastapi_service.authorization,
    )
    assert answer.status_code == status
    assert says in answer.json()["error"]


async def test_a_command_that_dies_at_once_says_why_in_the_list(system: System) -> None:
    command = ["python", "-c", "import sys; sys.exit('no model file')"]
    child = start([*NARTHEX, "run", "dying", "--port", "9030", "--", *command], system.environment(), system.data_dir)
    try:
        await until(lambda: "no model file" in system.cli("instances", "list", "dying", "v1", check=False).stdout, 30)
    finally:
        child.stop()


async def test_an_address_that_does_not_resolve_says_so_in_the_list(system: System) -> None:
    system.cli("deployments", "create", "lost")
    system.cli("versions", "create", "lost", "v1")
    system.cli("instances", "create", "lost", "v1", "--address", "no-such-host.invalid", "--port", "9000")
    await until(lambda: "does not resolve" in system.cli("instances", "list", "lost", "v1").stdout, 20)
