"""The one main loop: every service of Narthex is started, watched and drained by it.

A service is an entry point of the group `narthex.services`: a module `app` with

    Config                  a settings class whose `process` attribute is a ProcessSettings
    open(config)            an async context manager that builds the part and yields a Part

`narthex serve <name>` runs one; SIGTERM or SIGINT drains it.
"""

import asyncio
import logging
import signal
import sys
from collections.abc import Awaitable, Callable, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from importlib.metadata import entry_points
from typing import Any, Protocol

import uvloop
from pydantic import ValidationError

from narthex.contracts.errors import Misconfigured
from narthex.runtime.admin import Check, MoreMetrics, admin_server
from narthex.runtime.logs import set_up_logs
from narthex.runtime.settings import ProcessSettings

log = logging.getLogger(__name__)


async def _nothing() -> None:
    """Nothing to finish before the end."""


@dataclass(frozen=True)
class Part:
    """A running service as the main loop sees it."""

    checks: Mapping[str, Check] = field(default_factory=dict)  # readiness, by name
    drain: Callable[[], Awaitable[None]] = _nothing  # finish what is under way; called once
    more_metrics: MoreMetrics | None = None


class App(Protocol):
    """What the module behind an entry point offers."""

    Config: type[Any]

    def open(self, config: Any) -> AbstractAsyncContextManager[Part]: ...


def service_names() -> list[str]:
    """The services that are installed."""
    return sorted(entry.name for entry in entry_points(group="narthex.services"))


def load_app(name: str) -> App:
    """The app of a service, or Misconfigured when there is none or its dependencies are missing."""
    found = entry_points(group="narthex.services", name=name)
    if not found:
        raise Misconfigured(f"there is no service {name!r}; the installed ones are {', '.join(service_names())}")
    app: App = next(iter(found)).load()
    return app


def read_config(app: App) -> Any:
    """The settings of an app from the environment, or Misconfigured naming the first wrong one."""
    try:
        return app.Config()
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise Misconfigured(f"setting {where}: {first['msg']}") from None


def serve(name: str) -> int:
    """Run a service until it is told to stop; returns the exit code of the process."""
    try:
        app = load_app(name)
        config = read_config(app)
        process: ProcessSettings = config.process
        set_up_logs(name, process.log_level)
        uvloop.run(_run(name, app, config))
    except* Misconfigured as group:
        print(f"narthex {name}: {_first(group)}", file=sys.stderr)  # noqa: T201 - for who started it
        code = 2
    else:
        code = 0
    return code


async def _run(name: str, app: App, config: Any) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    process: ProcessSettings = config.process
    async with (
        app.open(config) as part,
        admin_server(process.admin_bind, process.admin_port, part.checks, part.more_metrics) as port,
    ):
        log.info("started", extra={"fields": {"admin_port": port}})
        await stop.wait()
        log.info("draining")
        await part.drain()
    log.info("stopped")


def _first(group: BaseException) -> BaseException:
    while isinstance(group, BaseExceptionGroup):
        group = group.exceptions[0]
    return group
