"""The request log in a ClickHouse server: the same SQL, over its HTTP interface."""

from datetime import timedelta
from pathlib import Path

from aiohttp import ClientError
from integration.audit_kit import NOW, audit_process, installation, request
from integration.clickhouse_kit import ClickHouse, clickhouse_server

from narthex.contracts.events import RequestsServed
from narthex.contracts.ids import new_id
from narthex.testing.processes import Process
from narthex.testing.servers import free_port, nats_server
from narthex.testing.waiting import eventually


async def said(audit: Process, words: str) -> str:
    """What audit waits for, once these words are in it."""

    async def look() -> str:
        try:
            text = (await audit.admin("/readyz"))[1]
        except ClientError:  # it does not listen yet
            return ""
        return text if words in text else ""

    return await eventually(look)


async def test_records_are_kept_found_and_counted_as_in_the_engine_of_our_own(tmp_path: Path) -> None:
    with clickhouse_server(tmp_path) as server:
        async with installation(tmp_path, store=server.url()) as here:
            records = [request(number, path="/it's/größe", status=200 + number) for number in range(20)]
            await here.serve(*records)
            await here.serve(request(99, service_id="a' OR '1'='1"))

            assert len(await here.found(21)) == 21
            assert await here.find(id="request-0003") == [records[3]]
            assert [each.id for each in await here.find(limit=2)] == ["request-0099", "request-0019"]
            assert [each.id for each in await here.find(service_id="a' OR '1'='1")] == ["request-0099"]
            assert len(await here.find(status_from=210, until=NOW + timedelta(seconds=15))) == 5
            assert await here.charted() == 21


async def test_two_that_share_the_stream_miss_nothing_that_the_other_has_and_count_a_hole_once(tmp_path: Path) -> None:
    run, other = new_id(), tmp_path / "other"
    other.mkdir()
    with clickhouse_server(tmp_path) as server:
        async with installation(tmp_path, store=server.url()) as here:
            with audit_process(other, here.nats, server.url()) as second:
                await second.ready()
                for number in range(40):
                    place = number + 3 * (number >= 20)  # three are missing in the middle
                    await here.router.publish(
                        RequestsServed(key="r", run=run, first=place, past=place + 1, records=(request(number),))
                    )
                await here.found(40)
                assert await eventually(here.lost) == {"bus_lost": 3}
            here.audit.kill()
            here.audit.begin()
            await here.serve(request(99))
            await here.found(41)
            assert await here.lost() == {"bus_lost": 3}


async def test_records_wait_while_the_server_is_away(tmp_path: Path) -> None:
    port = free_port()
    async with installation(tmp_path, store=ClickHouse(port).url(), ready=False) as here:
        await said(here.audit, "NARTHEX_AUDIT_STORE): Connection refused")
        await here.serve(request(1))
        with clickhouse_server(tmp_path, port):
            await here.audit.ready()
            assert await here.found(1) == [request(1)]


async def test_a_password_that_the_server_does_not_take_is_said_and_not_shown(tmp_path: Path) -> None:
    with (
        clickhouse_server(tmp_path) as server,
        nats_server(tmp_path) as nats,
        audit_process(tmp_path, nats, server.url("hush")) as audit,
    ):
        reason = await said(audit, "NARTHEX_AUDIT_STORE")
        assert "Authentication failed" in reason
        assert "hush" not in reason + (tmp_path / "audit.log").read_text()
