"""A container of each kind dies under load: what that costs is known, request by request and record by record."""

import asyncio
import time
from collections.abc import Callable

import pytest

from compose.load import KEPT, NEW, Account, Place, load
from compose.records import backlog, missing
from compose.stack import Stack, wait_until

BEFORE_S, AFTER_S = 3.0, 8.0

NO_REQUEST = ("registry", "healthcheck", "certs", "audit", "nats", "valkey", "postgres", "docker-reader")


async def dies_under_load(stack: Stack, place: Place, container: str) -> tuple[Account, float]:
    """Load before, while and after a container dies; the account, and when that was."""
    async with load(place) as account:
        await asyncio.sleep(BEFORE_S)
        died = time.time()
        await asyncio.to_thread(stack.kill, container)
        await asyncio.sleep(AFTER_S)
    return account, died


def back_again(stack: Stack, service: str) -> None:
    wait_until(f"{service} runs again", lambda: stack.state(service)["Running"] is True)
    if "Health" in stack.state(service):
        wait_until(f"{service} is healthy again", lambda: stack.healthy(service))


@pytest.mark.parametrize("service", NO_REQUEST)
async def test_no_request_and_no_record_is_lost_when_it_dies(
    service: str, stack: Stack, place: Place, figure: Callable[[str], None]
) -> None:
    account, _ = await dies_under_load(stack, place, stack.container(service))
    assert [each.what for each in account.failures] == []
    back_again(stack, service)
    wait_until("every record is there", lambda: not missing(stack, account))
    wait_until("every event is dealt with", lambda: not backlog(stack))
    figure(f"{service} killed: {len(account.answered)} requests answered, 0 failed, 0 without a record")


async def test_requests_at_an_instance_that_dies_go_to_another(
    stack: Stack, place: Place, figure: Callable[[str], None]
) -> None:
    account, _ = await dies_under_load(stack, place, "hello-1")
    stack.engine.call("start", "hello-1")
    assert [each.what for each in account.failures] == []
    wait_until("every record is there", lambda: not missing(stack, account))
    figure(f"instance killed: {len(account.answered)} requests answered, 0 failed, 0 without a record")


async def test_a_router_takes_only_what_it_had_in_hand_with_it(
    stack: Stack, place: Place, figure: Callable[[str], None]
) -> None:
    account, died = await dies_under_load(stack, place, stack.container("router-1"))
    assert len(account.failures) <= KEPT + NEW, [each.what for each in account.failures]
    back_again(stack, "router-1")
    back = time.time()
    wait_until("no event waits", lambda: not backlog(stack))
    lost = missing(stack, account)
    assert all(when < back for when in lost.values())
    oldest = died - min(lost.values(), default=died)
    figure(
        f"router killed: {len(account.answered)} requests answered, {len(account.failures)} failed, "
        f"{len(lost)} have no record, the first of them answered {oldest:.1f} s before"
    )


async def test_the_balancer_is_back_within_seconds(stack: Stack, place: Place, figure: Callable[[str], None]) -> None:
    account, died = await dies_under_load(stack, place, stack.container("balancer"))
    back_again(stack, "balancer")
    wait_until("it answers again", stack.answers_https)
    async with load(place) as afterwards:
        await asyncio.sleep(BEFORE_S)
    assert [each.what for each in afterwards.failures] == []
    wait_until("every record is there", lambda: not missing(stack, account))
    last = max((each.when for each in account.failures), default=died) - died
    figure(f"balancer killed: {len(account.failures)} requests failed within {last:.1f} s, all others are on record")
