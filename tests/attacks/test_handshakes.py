"""Handshakes that do not go on, or go on for ever, or ask for what is not served (THREATS T26, T58)."""

import asyncio
import ssl

import pytest
from attacks.bases import GET
from bench.slow.crowd import client_hello
from integration.router_kit import router, service_entries
from integration.test_router_tls import CA, HELLO, secure

from narthex.testing.backend import answer, backend
from narthex.testing.waiting import until

NAME = "svc.services.test"
WHOLE = client_hello(NAME)
ENDLESS = b"\x16\x03\x01\x40\x00" + b"\x01\xff\xff\xff" + bytes(0x3FFC)  # a ClientHello of 16 MiB, in records of 16 KiB


@pytest.mark.parametrize("offered", [["h2", "http/1.1"], ["h2", "http/1.0"], ["acme-tls/1"], []])
async def test_whatever_is_offered_http_1_1_is_spoken_and_nothing_else_agreed_on(offered: list[str]) -> None:
    trust = ssl.create_default_context(cadata=CA.root_pem)
    trust.set_alpn_protocols(offered)
    async with (
        backend(answer(HELLO)) as instance,
        router(service_entries([instance.port])) as under_test,
        secure(under_test, CA.issue(NAME)) as listening,
    ):
        reader, writer = await asyncio.open_connection("127.0.0.1", listening.port, ssl=trust, server_hostname=NAME)
        agreed = writer.get_extra_info("ssl_object").selected_alpn_protocol()
        writer.write(GET.replace(b"svc.test", NAME.encode()))
        assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 200 ")
        writer.close()
    assert agreed == ("http/1.1" if "http/1.1" in offered else None)


@pytest.mark.parametrize("words", [b"", WHOLE[:1], WHOLE[: len(WHOLE) // 2], WHOLE[:-1], WHOLE], ids=len)
async def test_a_handshake_that_does_not_go_on_is_ended_in_time(words: bytes) -> None:
    async with (
        router(service_entries([1]), head_s=0.2) as under_test,
        secure(under_test, CA.issue(NAME)) as listening,
    ):
        reader, writer = await asyncio.open_connection("127.0.0.1", listening.port)
        writer.write(words)
        await until(lambda: under_test.plane.connections)
        try:
            await reader.read()  # the router's part of the handshake, if it came so far, and the end
        except ConnectionError:
            pass
        await until(lambda: not under_test.plane.connections)
        writer.close()


async def test_a_handshake_without_measure_is_not_waited_for() -> None:
    async with (
        router(service_entries([1]), head_s=60.0) as under_test,
        secure(under_test, CA.issue(NAME)) as listening,
    ):
        reader, writer = await asyncio.open_connection("127.0.0.1", listening.port)
        for _ in range(16):
            writer.write(ENDLESS)
        try:
            async with asyncio.timeout(10):  # and not the minute that it might take
                await reader.read()
        except ConnectionError:
            pass
        await until(lambda: not under_test.plane.connections)
        writer.close()
