"""What an operator does on the first day: up, containers with labels, a request through each router."""

import json
import time
from collections.abc import Callable
from ipaddress import ip_address, ip_network
from typing import Any

import httpx2

from compose.stack import SUBNET, Stack, wait_until

PARTS = ("registry", "router-1", "router-2", "healthcheck", "certs", "audit")
READY_ALONE = """
import os, subprocess, time, urllib.request
admin = dict(NARTHEX_ADMIN_BIND="127.0.0.1", NARTHEX_ADMIN_PORT="9199")
environment = dict(os.environ, **admin, {more})
began = time.monotonic()
process = subprocess.Popen(["narthex", "serve", "{part}"], env=environment, stderr=subprocess.DEVNULL)
while True:
    try:
        urllib.request.urlopen("http://127.0.0.1:9199/readyz")
        break
    except OSError:
        time.sleep(0.01)
wall = time.monotonic() - began
process.kill()
used = os.wait4(process.pid, 0)[2]
print(wall, used.ru_utime + used.ru_stime)
"""


def test_every_part_becomes_ready(stack: Stack, figure: Callable[[str], None]) -> None:
    took = wait_until("every part is healthy", lambda: stack.healthy(*PARTS), within_s=120)
    figure(f"all parts healthy {took:.1f} s after the first answer (the engine looks every 5 s)")


def test_a_part_is_ready_soon(stack: Stack, figure: Callable[[str], None]) -> None:
    """Measured beside the part that runs, in its container: a second process with the same settings."""
    apart = 'NARTHEX_DATA_DIR="/tmp/alone"'  # what only one process may have open; the rest of a part's data is shared
    more = {
        "registry": 'NARTHEX_API_PORT="0"',
        "router-1": f'{apart}, NARTHEX_ROUTER_HTTP_PORT="0", NARTHEX_ROUTER_HTTPS_PORT="0"',
        "audit": apart,
    }
    for part in ("registry", "router-1", "healthcheck", "certs", "audit"):
        program = READY_ALONE.format(part=part.removesuffix("-1"), more=more.get(part, ""))
        wall, processor = stack.inside(part, program).split()
        figure(f"{part} ready after {float(wall):.2f} s, of which its main process computed {float(processor):.2f} s")


def test_containers_found_by_their_labels_answer_through_both_routers(stack: Stack, hello: str) -> None:
    routers, instances = set(), set()
    token, port = stack.token, stack.ports["HTTPS_PORT"]
    client = stack.client()

    def asked() -> bool:
        with httpx2.Client(
            verify=stack.trust(), headers={"Host": f"{hello}:{port}", "Authorization": f"Token {token}"}
        ) as http:
            answer = http.get(f"https://127.0.0.1:{port}/", extensions={"sni_hostname": hello})
        if answer.status_code == 200:
            instances.add(answer.text)
        return len(instances) == 3

    wait_until("each container has answered", asked)
    deadline = time.monotonic() + 30
    while routers != {"router-1", "router-2"} and time.monotonic() < deadline:
        routers = {record.router for record in client.requests.list("hello")}
    assert routers == {"router-1", "router-2"}


def test_the_client_is_known_behind_the_balancer(stack: Stack, hello: str) -> None:
    clients = {record.client for record in stack.client().requests.list("hello")}
    assert clients
    assert not any(ip_address(each) in ip_network(SUBNET) for each in clients)


def test_a_container_that_is_stopped_takes_no_request_with_it(stack: Stack, hello: str) -> None:
    stack.engine.call("stop", "--time", "10", "hello-2")
    listed = json.loads(stack.engine.call("inspect", "--format", "{{json .State}}", "hello-2"))
    assert listed["ExitCode"] == 0
    stack.engine.call("start", "hello-2")


def test_prometheus_sees_every_part_and_takes_every_rule(stack: Stack) -> None:
    stack.compose("--profile", "monitoring", "up", "--detach", "--no-deps", "prometheus")
    base = f"http://127.0.0.1:{stack.ports['PROMETHEUS_PORT']}/api/v1"

    def asked(what: str) -> Any:
        try:
            return httpx2.get(f"{base}/{what}").json()["data"]
        except (httpx2.HTTPError, ValueError):  # it is starting
            return {}

    def seen() -> dict[str, str]:
        return {each["labels"]["instance"]: each["health"] for each in asked("targets").get("activeTargets", ())}

    wait_until("every part is seen", lambda: seen() == {f"{part}:9100": "up" for part in PARTS})

    def judged() -> set[str]:
        return {rule["health"] for group in asked("rules").get("groups", ()) for rule in group["rules"]}

    wait_until("every rule has been looked at", lambda: judged() == {"ok"})
    stack.compose("--profile", "monitoring", "rm", "--stop", "--force", "prometheus")
