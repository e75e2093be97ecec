"""What all tests share: the event loop of production, and how they are dealt out to processes.

`make test` runs them in several processes (pytest-xdist). The one thing to know: a process gets whole folders where the
tests of a folder share a system, and whole files elsewhere, those first that take longest; so that what is started for
many is started once, and nobody waits at the end for a process with minutes to go.
"""

import asyncio
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
import uvloop

HERE = Path(__file__).parent
WHOLE = ("web", "faults", "e2e", "compat")  # folders whose tests share a system, fixed ports or the machine
FIRST = (*WHOLE, "attacks", "integration")


def pytest_asyncio_loop_factories() -> Mapping[str, Callable[[], asyncio.AbstractEventLoop]]:
    return {"uvloop": uvloop.new_event_loop}


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """In the processes that share the tests, those of the folders that take longest come first."""
    if hasattr(config, "workerinput"):
        items.sort(key=lambda item: rank(folder(item.path.relative_to(HERE).as_posix())))


def rank(name: str) -> int:
    return FIRST.index(name) if name in FIRST else len(FIRST)


def folder(path: str) -> str:
    return path.partition("/")[0]


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    from xdist.scheduler import LoadScopeScheduling

    class Dealer(LoadScopeScheduling):
        """Deals out folders and files in the order in which they were collected."""

        def _split_scope(self, nodeid: str) -> str:
            file = nodeid.partition("::")[0]
            name = folder(file.partition("/")[2])
            return name if name in WHOLE else file

    config.option.loadscopereorder = False  # by how many tests there are in each, the long ones would come last
    return Dealer(config, log)
