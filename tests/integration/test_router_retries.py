"""What is sent again when an instance fails, and what is not."""

import asyncio

from integration.router_kit import router, service_entries

from narthex.testing.backend import Conversation, answer, backend
from narthex.testing.waiting import until
from narthex_router.retries import FLOOR, OVER_BUDGET
from narthex_router.tallies import render

GET = b"GET / HTTP/1.1\r\nHost: svc.services.test\r\n\r\n"
HELLO = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"
CLIENTS = 100


async def test_a_pooled_connection_that_died_of_age_costs_a_service_with_one_instance_no_request() -> None:
    async def tired(conversation: Conversation) -> None:
        await conversation.head()
        await conversation.send(HELLO)
        await conversation.head()  # the next request comes, and is lost

    async with backend(tired) as instance, router(service_entries([instance.port])) as under_test:
        client = await under_test.connect()
        for _ in range(4):
            await client.send(GET)
            assert (await client.answer())[0] == 200
        assert instance.connections == 4


async def test_a_request_is_not_given_again_to_the_instance_that_failed_it_on_a_fresh_connection() -> None:
    async def dies(conversation: Conversation) -> None:
        await conversation.head()

    async with backend(dies) as instance, router(service_entries([instance.port])) as under_test:
        client = await under_test.connect()
        await client.send(GET)
        assert (await client.answer())[0] == 502
        assert len(instance.requests) == 1


async def test_a_request_is_not_sent_again_once_an_interim_response_has_come() -> None:
    async def begins(conversation: Conversation) -> None:
        await conversation.head()
        await conversation.send(b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n")

    async with (
        backend(begins) as one,
        backend(begins) as two,
        router(service_entries([one.port, two.port])) as under_test,
    ):
        client = await under_test.connect()
        await client.send(GET)
        assert (await client.head()).startswith(b"HTTP/1.1 103 ")
        assert (await client.answer())[0] == 502
        assert len(one.requests) + len(two.requests) == 1


async def test_instances_that_die_of_load_do_not_get_all_of_it_again() -> None:
    die = asyncio.Event()

    async def dies(conversation: Conversation) -> None:
        await conversation.head()
        await die.wait()

    async def holds(conversation: Conversation) -> None:
        await conversation.head()
        await asyncio.Event().wait()

    async with (
        backend(dies) as dying,
        backend(holds) as holding,
        router(service_entries([dying.port, holding.port])) as under_test,
    ):
        clients = [await under_test.connect() for _ in range(CLIENTS)]
        for client in clients:
            await client.send(GET)
        await until(lambda: len(dying.requests) + len(holding.requests) == CLIENTS)
        lost = len(dying.requests)
        die.set()
        await until(lambda: len(under_test.journal()) == lost - CLIENTS // 5)
        await until(lambda: len(holding.requests) == CLIENTS - lost + CLIENTS // 5)

        answered = under_test.journal()
        assert {record["code"] for record in answered} == {"upstream_closed"}
        assert all(record["attempts"][-1]["reason"].endswith(OVER_BUDGET) for record in answered)
        [services] = under_test.plane.journal.stats.pieces(lambda _: True, 0.0)
        counted = render({"services": services})
        assert f'failures_over_retry_budget_total{{service="svc",project="p"}} {len(answered)}' in counted


async def test_what_was_sent_again_and_answered_makes_room_for_others() -> None:
    async def dies(conversation: Conversation) -> None:
        await conversation.head()

    async with (
        backend(dies) as dying,
        backend(answer(HELLO)) as good,
        router(service_entries([dying.port, good.port])) as under_test,
    ):
        client = await under_test.connect()
        for _ in range(3 * FLOOR):
            await client.send(GET)
            assert (await client.answer())[0] == 200
        assert len(dying.requests) > FLOOR
