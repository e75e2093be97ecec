"""A worker's table and the sealing keys, which change on their own."""

from typing import cast

from narthex.runtime.sealing import token_digest_key
from narthex.runtime.tasks import background
from narthex_router.acceptor import Listeners
from narthex_router.app import worker_config
from narthex_router.bounds import Bounds
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
