"""The images, built once, and one system that the tests of a session share, in the order of their files."""

import asyncio
import os
import time
from collections.abc import Callable, Iterator

import pytest

from compose import stand_ins
from compose.engine import Engine, engine, missing
from compose.load import Account, Place, ask
from compose.stack import EMBEDDED, IMAGE, ROOT, Stack, wait_until
from narthex.contracts.api import ServiceCreate

# Images of ours that are there are used as they are: for work on these tests.
KEPT = os.environ.get("NARTHEX_TEST_COMPOSE_IMAGES") == "kept"

# Half an hour, root, and an engine: `make test-compose` says so.
collect_ignore_glob = [] if os.environ.get("NARTHEX_TEST_COMPOSE") == "1" else ["test_*.py"]

figures: list[str] = []


@pytest.fixture(scope="session")
def figure() -> Callable[[str], None]:
    """Notes a measured figure, which is printed at the end of the run."""
    return figures.append


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    for line in figures:
        terminalreporter.write_line(f"measured: {line}")


@pytest.fixture(scope="session")
def docker(tmp_path_factory: pytest.TempPathFactory, figure: Callable[[str], None]) -> Iterator[Engine]:
    """An engine with our images on it."""
    if lacking := missing():
        pytest.fail(f"these tests cannot run: {lacking}")
    directory = tmp_path_factory.mktemp("engine")
    with engine(directory) as running:
        contexts = tmp_path_factory.mktemp("stand-ins")
        made = stand_ins.make(running, contexts)
        for variant, tag in (("server", IMAGE), ("embedded", EMBEDDED)):
            if not (KEPT and running.has_image(tag)):
                figure(f"{tag} built in {running.build(ROOT, tag, '--build-arg', f'VARIANT={variant}'):.0f} s")
            size, base = running.image_bytes(tag), running.image_bytes("python:3.11-slim")
            figure(f"{tag}: {size / 1e6:.0f} MB, {base / 1e6:.0f} of them python:3.11-slim")
        yield running
        if not KEPT:
            running.call("image", "rm", "--force", IMAGE, EMBEDDED, *made)


@pytest.fixture(scope="session")
def stack(docker: Engine, tmp_path_factory: pytest.TempPathFactory, figure: Callable[[str], None]) -> Iterator[Stack]:
    """The whole system, up."""
    laid_out = Stack.laid_out(docker, tmp_path_factory.mktemp("system"))
    try:
        took = wait_for_https(laid_out)
        figure(f"from `docker compose up` to the first HTTPS answer: {took:.1f} s")
        yield laid_out
    finally:
        laid_out.down()


@pytest.fixture(scope="session")
def hello(stack: Stack) -> str:
    """A service before three containers that are found by their labels; its host."""
    for number in range(3):
        stack.run_instance(f"hello-{number}")
    client = stack.client()
    wait_until(
        "three containers are found", lambda: [each.instances for each in client.installation.discovery()] == [3]
    )
    service = client.services.create(ServiceCreate(name="hello", deployment="hello", port=9000))
    return f"{service.id}.services.localhost"


@pytest.fixture(scope="session")
def place(stack: Stack, hello: str) -> Place:
    """The same, for the clients that make load."""
    place = Place(hello, stack.ports["HTTPS_PORT"], stack.trust(), stack.token)

    def answers() -> bool:
        account = Account()
        asyncio.run(_once(account, place))
        return bool(account.answered)

    wait_until("the service answers", answers)
    return place


async def _once(account: Account, place: Place) -> None:
    streams = await place.connect()
    await ask(account, place, streams, close=True)
    streams[1].transport.abort()


def wait_for_https(stack: Stack) -> float:
    began = time.monotonic()
    stack.compose("up", "--detach")
    wait_until("an answer over HTTPS", stack.answers_https)
    return time.monotonic() - began
