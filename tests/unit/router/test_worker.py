"""A worker's table and the sealing keys, which change on their own; what it is told of the settings."""

from typing import cast

import pytest

from narthex.runtime.sealing import token_digest_key
from narthex.runtime.tasks import background
from narthex_router.acceptor import Listeners
from narthex_router.app import worker_config
from narthex_router.bounds import QUIET, Bounds
from narthex_router.channel import Channel
from narthex_router.config import Config
from narthex_router.endpoints import Endpoints
from narthex_router.journal import Journal
from narthex_router.plane import Plane
from narthex_router.table import Table
from narthex_router.tls import new_context
from narthex_router.worker import Worker

OLDER, NEWER = bytes(32), bytes(range(32))


async def test_a_table_that_was_loaded_while_the_keys_changed_is_asked_by_the_new_ones() -> None:
    worker = Worker(worker_config(Config()), cast(Channel, None), Listeners((), (), new_context()))
    async with background() as tasks:
        bounds = Bounds()
        endpoints = Endpoints(bounds.buffer, bounds.upstream_idle_s)
        worker._plane = Plane(Table("test"), endpoints, Journal("r"), bounds, tasks, https_port=443)
        worker._use_keys(OLDER)
        loaded = worker._new_table()
        worker._use_keys(NEWER, OLDER)
        worker._table_changed(loaded, set())
    assert loaded.token_keys == (token_digest_key(NEWER), token_digest_key(OLDER))


def test_the_last_quarter_of_a_drain_is_for_requests_that_came_at_the_end_of_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("NARTHEX_ROUTER_DRAIN_TIMEOUT_S", "60")
    bounds = Bounds(**worker_config(Config()).bounds)
    assert (bounds.drain_s, bounds.quiet_s) == (60.0, 45.0)
    assert Bounds().quiet_s == Bounds().drain_s * QUIET
