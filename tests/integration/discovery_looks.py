"""What tests of discovery look at through the API."""

from collections.abc import Callable
from typing import Any

from integration.registry_kit import P

from narthex.testing.rest import Rest
from narthex.testing.waiting import eventually

INSTANCES = f"{P}/deployments/hello/versions/v1/instances"
Shown = dict[str, tuple[str, int, int]]  # by address: id, port, weight


async def serving(api: Rest) -> Shown:
    """The instances that take requests or will."""
    status, body = await api.get(INSTANCES, status="pending,running,initialising", limit="250")
    assert status in (200, 404), body
    found = body["results"] if status == 200 else []
    return {each["address"]: (each["id"], each["port"], each["weight"]) for each in found}


async def shows(api: Rest, fits: Callable[[Shown], object]) -> Shown:
    """The instances, once they are as they should be."""
    found: Shown = {}

    async def look() -> object:
        nonlocal found
        found = await serving(api)
        return fits(found)

    await eventually(look)
    return found


async def provider(api: Rest) -> dict[str, Any]:
    status, [told] = await api.get("/v2.1/discovery")
    assert status == 200
    found: dict[str, Any] = told
    return found


async def in_state(api: Rest, state: str) -> dict[str, Any]:
    async def look() -> dict[str, Any] | None:
        told = await provider(api)
        return told if told["state"] == state else None

    found = await eventually(look)
    assert found is not None
    return found


async def refused(api: Rest, count: int) -> dict[str, Any]:
    """The only provider, once it has refused so many entries."""

    async def look() -> dict[str, Any] | None:
        told = await provider(api)
        return told if told["refused"] == count else None

    found = await eventually(look)
    assert found is not None
    return found
