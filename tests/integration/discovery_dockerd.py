"""A real Docker engine of the test's own, and the contract suite's stage on it.

It needs root, `dockerd` and a static `busybox` (Debian: docker.io, busybox-static), and changes the machine's packet
filter as engines do, so it runs with `make test-docker` only.
"""

import asyncio
import io
import os
import shutil
import signal
import tarfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
from integration.discovery_stages import DockerStage, Named

from narthex.testing.waiting import eventually
from narthex_registry.discovery.settings import DiscoveryConfig, DockerSettings

NETWORK = "narthex-test"
SUBNET, GATEWAY = "10.0.0.0/16", "10.0.255.254"  # the suite's addresses are in it
IMAGE = "narthex-test:latest"


def missing() -> str:
    """What keeps the engine from running here; empty when nothing does."""
    if os.geteuid() != 0:
        return "an engine needs root"
    lacking = [program for program in ("dockerd", "busybox") if shutil.which(program) is None]
    return f"there is no {' and no '.join(lacking)}" if lacking else ""


class Dockerd:
    """An engine in a directory; its containers outlive its restarts."""

    def __init__(self, directory: Path) -> None:
        self.socket = directory / "docker.sock"
        self._command = [
            "dockerd", "--data-root", str(directory / "data"), "--exec-root", str(directory / "exec"),
            "--pidfile", str(directory / "pid"), "--host", f"unix://{self.socket}",
            "--storage-driver", "vfs", "--live-restore", "--bridge", "none",
        ]  # fmt: skip
        self._data = directory / "data"
        self._log = directory / "log"
        self._process: asyncio.subprocess.Process | None = None

    async def start(self) -> None:
        if self._process is not None:
            return
        with self._log.open("ab") as log:
            self._process = await asyncio.create_subprocess_exec(*self._command, stdout=log, stderr=log)

        async def answers() -> bool:
            try:
                return await self.call("GET", "/version") is not None
            except aiohttp.ClientError:
                return False

        await eventually(answers)

    async def stop(self) -> None:
        if self._process is not None:
            self._process.send_signal(signal.SIGTERM)
            await self._process.wait()
            self._process = None

    async def unmount(self) -> None:
        """An engine whose containers outlived it leaves its directory mounted on itself."""
        left = 0
        while left == 0:
            umount = await asyncio.create_subprocess_exec("umount", str(self._data), stderr=asyncio.subprocess.DEVNULL)
            left = await umount.wait()

    async def call(self, method: str, path: str, body: Any = None, data: io.BytesIO | None = None) -> Any:
        connector = aiohttp.UnixConnector(str(self.socket))
        async with (
            aiohttp.ClientSession("http://docker", connector=connector) as session,
            session.request(method, path, json=body, data=data) as response,
        ):
            assert response.status < 400 or response.status in (404, 409), await response.text()
            return await response.json() if response.content_type == "application/json" else await response.text()


class DockerdStage(DockerStage):
    """Containers of busybox, which sleeps and, as process 1, ignores being asked to stop."""

    says_every_address = False

    def __init__(self, dockerd: Dockerd) -> None:
        self.dockerd = dockerd
        self.running: dict[str, Named] = {}
        self.named = {}

    def settings(self) -> DiscoveryConfig:
        return DiscoveryConfig(docker=DockerSettings(socket=self.dockerd.socket))

    async def say(self) -> None:
        for id in [id for id, each in self.running.items() if self.named.get(id) is not each]:
            if id in self.named and self.named[id].draining:
                await self.dockerd.call("POST", f"/containers/{id}/kill?signal=SIGTERM")
                self.running[id] = self.named[id]
            else:
                del self.running[id]
                await self.dockerd.call("DELETE", f"/containers/{id}?force=1")
        for id, each in self.named.items():
            if id not in self.running:
                await self._run(id, each)
                self.running[id] = each

    async def _run(self, id: str, named: Named) -> None:
        labels = {"narthex.deployment": "hello", "narthex.version": "v1", "narthex.port": str(named.port)}
        body = {
            "Image": IMAGE,
            "Cmd": ["/bin/busybox", "sleep", "3600"],
            "Labels": labels,
            "HostConfig": {"NetworkMode": NETWORK},
            "NetworkingConfig": {"EndpointsConfig": {NETWORK: {"IPAMConfig": {"IPv4Address": named.address}}}},
        }
        await self.dockerd.call("POST", f"/containers/create?name={id}", body)
        await self.dockerd.call("POST", f"/containers/{id}/start")

    async def away(self) -> None:
        await self.dockerd.stop()

    async def back(self) -> None:
        await self.dockerd.start()


@asynccontextmanager
async def dockerd_in(directory: Path) -> AsyncIterator[Dockerd]:
    """An engine with the suite's network and image."""
    dockerd = Dockerd(directory)
    await dockerd.start()
    try:
        await dockerd.call("POST", "/images/create?fromSrc=-&repo=narthex-test&tag=latest", data=_image())
        pool = {"Driver": "default", "Config": [{"Subnet": SUBNET, "Gateway": GATEWAY}]}
        await dockerd.call("POST", "/networks/create", {"Name": NETWORK, "IPAM": pool})
        yield dockerd
    finally:
        await dockerd.start()
        for each in await dockerd.call("GET", "/containers/json?all=1"):
            await dockerd.call("DELETE", f"/containers/{each['Id']}?force=1")
        await dockerd.call("DELETE", f"/networks/{NETWORK}")
        await dockerd.stop()
        await dockerd.unmount()


def _image() -> io.BytesIO:
    """A file system with busybox in it."""
    busybox = shutil.which("busybox")
    assert busybox is not None
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w") as tar:
        tar.add(Path(busybox).resolve(), "bin/busybox")
    file.seek(0)
    return file
