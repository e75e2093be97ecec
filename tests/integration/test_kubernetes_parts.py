"""The parts, started by what the manifests of the dev overlay say: their settings, secrets, users of NATS and Valkey.

What a cluster would add is replaced: names of servers, paths of mounts and ports, and the delay at the end.
"""

import asyncio
import base64
import signal
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from integration.router_process import get
from unit.deploy.cluster import PARTS, Rendered, container_of, rendered

from narthex.testing.postgres import PostgresServer
from narthex.testing.rest import rest
from narthex.testing.servers import child, free_port, nats_binary, valkey_binary
from narthex.testing.system import NARTHEX, Child, environment, start
from narthex.testing.waiting import eventually

READY_WITHIN_S = 40.0


@dataclass
class Pod:
    """A part as it runs here."""

    process: Child
    settings: dict[str, str]

    async def ready(self) -> bool:
        if self.process.process.poll() is not None:
            raise AssertionError("\n".join(self.process.output.lines))
        try:
            return (await get(int(self.settings["NARTHEX_ADMIN_PORT"]), "/readyz"))[0] == 200
        except OSError:
            return False


def secret(overlay: Rendered, name: str) -> dict[str, str]:
    """The contents of a Secret; the names in rendered objects have a digest at their ends."""
    [found] = [each for each in overlay.of("Secret") if each["metadata"]["name"].rpartition("-")[0] == name]
    return {key: base64.b64decode(text).decode() for key, text in found["data"].items()}


@contextmanager
def servers(overlay: Rendered, home: Path, database: str) -> Iterator[dict[str, str]]:
    """NATS and Valkey by the overlay's configuration; what their names are replaced by, and the database's."""
    nats_port, valkey_port = free_port(), free_port()
    [config] = [each for each in overlay.of("ConfigMap") if each["metadata"]["name"].startswith("nats-")]
    text = config["data"]["nats.conf"].replace("http_port: 8222\n", "").replace("port: 4222", f"port: {nats_port}")
    (home / "users").mkdir()
    (home / "users" / "nats-users.conf").write_text(secret(overlay, "nats")["nats-users.conf"])
    (home / "nats.conf").write_text(text.replace("/data", str(home / "jetstream")))
    (home / "valkey-users.acl").write_text(secret(overlay, "valkey")["valkey-users.acl"])
    arguments = container_of(overlay.one("StatefulSet", "valkey"))["args"][1:]
    places = {"/data": str(home), "/etc/valkey": str(home)}
    arguments = [_replaced(each, places) for each in arguments] + ["--port", str(valkey_port), "--bind", "127.0.0.1"]
    with (
        child([nats_binary(), "--config", str(home / "nats.conf")], nats_port, home / "nats.log"),
        child([valkey_binary(), *arguments], valkey_port, home / "valkey.log"),
    ):
        yield {
            "nats:4222": f"127.0.0.1:{nats_port}",
            "valkey:6379": f"127.0.0.1:{valkey_port}",
            "postgresql://narthex@postgresql:5432/narthex": database,
        }


def begin(overlay: Rendered, part: str, home: Path, places: dict[str, str]) -> Pod:
    """Start a part as its pod would."""
    data, secrets = home / part, home / f"{part}-secrets"
    data.mkdir()
    secrets.mkdir()
    names = [f"narthex-{part}"] if part in ("healthcheck", "audit") else [f"narthex-{part}", "narthex-sealing"]
    for key, text in [each for name in names for each in secret(overlay, name).items()]:
        (secrets / key).write_text(text)
    if part == "registry":
        (data / "admin.token").write_text(secret(overlay, "narthex-admin")["admin.token"])
        (data / "admin.token").chmod(0o400)
    here = {"/var/lib/narthex": str(data), "/etc/narthex/secrets": str(secrets), "0.0.0.0": "127.0.0.1", **places}
    settings = {name: _replaced(value, here) for name, value in overlay.settings(part).items()}
    settings |= {name: str(free_port()) for name in settings if name.endswith("_PORT")}
    settings["NARTHEX_STOP_DELAY_S"] = "0"
    arguments = container_of(overlay.workload(part))["args"]
    return Pod(start([*NARTHEX, *arguments], environment(home) | settings, home), settings)


def _replaced(text: str, places: dict[str, str]) -> str:
    for name, place in places.items():
        text = text.replace(name, place)
    return text


@pytest.mark.timeout(120)  # five processes that import all they need; 5 s on a quiet machine
async def test_the_parts_come_up_by_the_manifests_and_end_when_they_are_told(
    postgres: PostgresServer, tmp_path: Path
) -> None:
    overlay = rendered("dev")
    database = postgres.new_database().replace("+asyncpg", "")
    with ExitStack() as stack:
        places = stack.enter_context(servers(overlay, tmp_path, database))
        pods = {}
        for part in PARTS:
            pods[part] = pod = begin(overlay, part, tmp_path, places)
            stack.callback(pod.process.process.kill)
        for pod in pods.values():
            await eventually(pod.ready, READY_WITHIN_S)

        token = secret(overlay, "narthex-admin")["admin.token"]
        async with rest(int(pods["registry"].settings["NARTHEX_API_PORT"]), token) as api:
            status, found = await api.get("/v2.1/projects")
            assert (status, [each["name"] for each in found]) == (200, ["default"])

        for pod in pods.values():
            pod.process.tell(signal.SIGTERM)
        codes = [await asyncio.to_thread(pod.process.process.wait, 30) for pod in pods.values()]
        assert codes == [0] * len(PARTS)
