"""The one main loop: every service of Narthex is started, watched and drained by it.

A service is an entry point of the group `narthex.services`: a module `app` with

    Config                  a settings class whose `process` attribute is a ProcessSettings
    open(config)            an async context manager that builds the part and yields a Part

`narthex serve <name>` runs one; SIGTERM or SIGINT drains it.
"""

import asyncio
import gc
import logging
import signal
import sys
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from contextlib import AbstractAsyncContextManager, AsyncExitStack
from dataclasses import dataclass, field
from importlib.metadata import entry_points
from itertools import count
from typing import Any, Protocol, TypeVar

import uvloop
from pydantic import ValidationError
from pydantic_settings import SettingsError

from narthex.contracts.errors import Misconfigured, Unavailable
from narthex.runtime.admin import Check, MoreMetrics, admin_server
from narthex.runtime.logs import set_up_logs
from narthex.runtime.notify import tell_manager, tell_ready
from narthex.runtime.settings import ProcessSettings
from narthex.runtime.tasks import background, backoff
from narthex.runtime.traces import TraceSettings, set_up_traces

log = logging.getLogger(__name__)

ConfigT = TypeVar("ConfigT")


async def _nothing() -> None:
    """Nothing to finish before the end."""


async def _never() -> None:
    """A part that nobody replaces while it runs."""
    await asyncio.Event().wait()


@dataclass(frozen=True)
class Part:
    """A running service as the main loop sees it."""

    checks: Mapping[str, Check] = field(default_factory=dict)  # readiness, by name
    drain: Callable[[], Awaitable[None]] = _nothing  # finish what is under way; called once
    replaced: Callable[[], Coroutine[Any, Any, None]] = _never  # returns when another process does the part's work
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


def read_config(config: Callable[[], ConfigT]) -> ConfigT:
    """Settings from the environment, or Misconfigured naming the first wrong one."""
    try:
        return config()
    except ValidationError as error:
        first = error.errors()[0]
        # A group's title is the beginning of its variables' names.
        where = f"{error.title}{first['loc'][0]}".upper() if first["loc"] else error.title
        raise Misconfigured(f"setting {where}: {first['msg'].removeprefix('Value error, ')}") from None
    except SettingsError as error:  # what should be JSON and is not
        raise Misconfigured(f"the settings cannot be read: {error}: {error.__cause__}") from None


def serve(name: str) -> int:
    """Run a service until it is told to stop; returns the exit code of the process."""
    try:
        app = load_app(name)
        config = read_config(app.Config)
        traces = read_config(TraceSettings)
        gc.freeze()  # all that is there now stays until the end: no collection need look at it
        gc.enable()
        process: ProcessSettings = config.process
        set_up_logs(name, process.log_level)
        tracing = set_up_traces(name, traces)
        uvloop.run(_run(name, app, config))
        if tracing is not None:
            tracing.flush()
    except* Misconfigured as group:
        print(f"narthex {name}: {_first(group)}", file=sys.stderr)  # noqa: T201 - for who started it
        code = 2
    else:
        code = 0
    return code


async def _run(name: str, app: App, config: Any) -> None:
    opening = asyncio.current_task()
    assert opening is not None
    _on_stop(opening.cancel)
    try:
        async with AsyncExitStack() as opened:
            part = await _open(app, config, opened)
            await _watch(part, config.process)
    except asyncio.CancelledError:
        log.info("told to stop before it had started")
    log.info("stopped")


async def _open(app: App, config: Any, opened: AsyncExitStack) -> Part:
    """The part, as soon as what it cannot do without is there; until then `/readyz` says what is missing."""
    try:
        return await opened.enter_async_context(app.open(config))
    except Unavailable as error:
        reason = error.message
    process: ProcessSettings = config.process
    checks = {"start": lambda: reason}
    async with admin_server(process.admin_bind, process.admin_port, checks):
        for attempt in count():
            log.warning("cannot start yet", extra={"fields": {"reason": reason, "attempt": attempt + 1}})
            await asyncio.sleep(backoff(attempt, first_s=0.5))
            try:
                return await opened.enter_async_context(app.open(config))
            except Unavailable as error:
                reason = error.message
    raise AssertionError("count() has no end")


async def _watch(part: Part, process: ProcessSettings) -> None:
    """Have the part do its work until it is told to stop or replaced, then let it finish."""
    stop = asyncio.Event()
    _on_stop(stop.set)
    checks = {**part.checks, "stop": lambda: "it was told to stop" if stop.is_set() else ""}
    async with admin_server(process.admin_bind, process.admin_port, checks, part.more_metrics) as port:
        log.info("started", extra={"fields": {"admin_port": port}})
        replaced = await _end_of_work(part, stop)
        tell_manager("STOPPING=1")
        if not replaced:
            await asyncio.sleep(process.stop_delay_s)
            log.info("draining")
            await part.drain()
    if replaced:
        log.info("replaced: draining")  # the admin port is free for the process that does the work now
        await part.drain()


async def _end_of_work(part: Part, stop: asyncio.Event) -> bool:
    """Wait until the part shall end; whether that is because another process does its work."""
    async with background() as tasks:
        tasks.start(tell_ready(part.checks), "tell the service manager")
        replaced = tasks.start(part.replaced(), "be replaced")
        told = tasks.start(stop.wait(), "be told to stop")
        await asyncio.wait({replaced, told}, return_when=asyncio.FIRST_COMPLETED)
        return replaced.done()


def _on_stop(do: Callable[[], object]) -> None:
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, do)


def _first(group: BaseException) -> BaseException:
    while isinstance(group, BaseExceptionGroup):
        group = group.exceptions[0]
    return group
