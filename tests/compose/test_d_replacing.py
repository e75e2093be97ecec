"""Each service is replaced under 500 requests a second, by the operators' script: nothing fails, nothing is lost."""

import asyncio
from collections.abc import Callable

import pytest

from compose.load import Place, load
from compose.records import backlog, missing
from compose.stack import Stack, wait_until
from narthex.contracts.api import ServiceUpdate

SETTLE_S = 2.0


@pytest.mark.parametrize("service", ["registry", "router", "healthcheck", "certs", "audit"])
async def test_a_service_is_replaced_and_nobody_notices(
    service: str, stack: Stack, place: Place, figure: Callable[[str], None]
) -> None:
    before = stack.container("router-1" if service == "router" else service)
    async with load(place) as account:
        await asyncio.sleep(SETTLE_S)
        changing = asyncio.create_task(asyncio.to_thread(keep_changing, stack, stop := []))
        await asyncio.to_thread(stack.replace, service)
        await asyncio.sleep(SETTLE_S)
        stop.append(True)
        changes = await changing
        rate = account.rate()
    assert stack.container("router-1" if service == "router" else service) != before
    assert [each.what for each in account.failures] == []
    wait_until("every record is there", lambda: not missing(stack, account))
    wait_until("every event is dealt with", lambda: not backlog(stack))
    assert stack.client().services.get("hello").description == f"change {changes}"
    assert unpublished(stack) == "0"
    figure(
        f"{service} replaced at {rate:.0f} requests/s: {len(account.answered)} answered, 0 failed, 0 without a record; "
        f"{changes} API changes, none failed, each one an event"
    )


def keep_changing(stack: Stack, stop: list[bool]) -> int:
    """Change a service again and again; how often. No call may fail."""
    client, changes = stack.client(), 0
    while not stop:
        changes += 1
        client.services.update("hello", ServiceUpdate(description=f"change {changes}"))
    return changes


def unpublished(stack: Stack) -> str:
    """How many facts the bus has not acknowledged."""
    query = "select count(*) from outbox where sent is null"
    return stack.compose("exec", "--no-TTY", "postgres", "psql", "-U", "narthex", "-d", "narthex", "-At", "-c", query)
