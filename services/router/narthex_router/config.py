"""The router's settings, from `NARTHEX_*` variables."""

import os
import socket
from functools import cached_property
from pathlib import Path
from typing import Literal

from pydantic import Field, field_validator
from pydantic_settings import BaseSettings

from narthex.bus import BusSettings
from narthex.runtime.settings import InstanceSettings, Port, ProcessSettings, SealingSettings, TableSettings, group
from narthex_router.doors.policy import networks


class ListenSettings(BaseSettings):
    """Where clients come in, and how many processes serve them."""

    model_config = group("NARTHEX_ROUTER_")

    name: str = Field(default_factory=socket.gethostname)  # unique among routers
    bind: str = "127.0.0.1"
    http_port: Port = 8080
    https_port: Port = 8443
    public_https_port: Port = 0  # the port clients use, when something maps it; 0: https_port
    workers: int = Field(default_factory=lambda: max(1, len(os.sched_getaffinity(0))), ge=1)
    serve_plain: bool = False  # serve on the HTTP port too, for a TLS terminator in front; else redirect
    memory_limit_mb: int = 0  # of all workers together; 0: half of the machine's. A container's limit counts besides
    take_over_timeout_s: float = 60.0  # to load the table and serve in place of a running router; else that one stays
    allow_shrink: bool = False  # take a reloaded table that has lost more than 30 % of what is served


class DoorSettings(BaseSettings):
    """What the ways into services need besides what services say of them."""

    model_config = group("NARTHEX_ROUTER_")

    sign_in_url: str = ""  # of the registry's /sign-in, as browsers reach it; empty: they are not sent there
    # Networks that are not on the Internet and have issuers of JWTs all the same, e.g. `10.0.0.0/8, ::1/128`.
    issuer_networks: str = ""

    # Networks of proxies whose X-Forwarded-For and X-Forwarded-Proto are believed, e.g. `10.0.0.0/8`.
    trusted_proxies: str = ""

    # Networks of TCP load balancers: each connection from there begins with a PROXY header (version 1 or 2), no other
    # may. Empty: nobody speaks the PROXY protocol.
    proxy_protocol_from: str = ""

    @field_validator("issuer_networks", "trusted_proxies", "proxy_protocol_from")
    @classmethod
    def _networks(cls, text: str) -> str:
        networks(listed(text))
        return text


def listed(text: str) -> tuple[str, ...]:
    """`a, b` as two."""
    return tuple(part.strip() for part in text.split(",") if part.strip())


class BoundSettings(BaseSettings):
    """The time limits that installations change; the rest is in `bounds.py`."""

    model_config = group("NARTHEX_ROUTER_")

    connect_timeout_s: float = 2.0
    first_byte_timeout_s: float = 300.0
    idle_timeout_s: float = 300.0
    min_body_rate: float = 240.0  # bytes a second of a request's body, after its first minute; as Kestrel. 0: none
    drain_timeout_s: float = 8.0  # below the supervisor's 10 s


class VouchingSettings(BaseSettings):
    """What becomes of instances without an identity when no health worker has been heard for long."""

    model_config = group("NARTHEX_ROUTER_")

    stale_policy: Literal["serve", "stop"] = "serve"  # stop: their addresses may be somebody else's by then
    stale_after_s: float = 600.0  # a restart of NATS takes seconds; an address is used again after minutes or hours


class Config:
    """All settings of the router."""

    def __init__(self) -> None:
        self.process = ProcessSettings()
        self.bus = BusSettings()
        self.table = TableSettings()
        self.sealing = SealingSettings()
        self.listen = ListenSettings()
        self.bounds = BoundSettings()
        self.instances = InstanceSettings()
        self.doors = DoorSettings()
        self.vouching = VouchingSettings()

    @cached_property
    def directory(self) -> Path:
        """What is kept on disk, and where a successor finds this router."""
        return self.process.data_dir / "router"

    @cached_property
    def copy_path(self) -> str:
        """Where the last table is kept on disk."""
        return str(self.directory / "table.copy")
