"""Probes over TLS and over gRPC, against real servers: OpenSSL's, and grpcio with its own health service."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import replace
from pathlib import Path

import grpc
import pytest
from grpc_health.v1 import health, health_pb2, health_pb2_grpc

from narthex.contracts.entities import HealthCheck, Instance
from narthex.contracts.reach import Reach
from narthex.testing.ca import ThrowAwayCA
from narthex_healthcheck.probe import Probe
from narthex_healthcheck.target import GrpcQuestion, Question, Target, Tls, resolve
from narthex_healthcheck.verdict import ANSWERED, Outcome, Thresholds

NAME = "app.example.org"


def target(
    port: int, question: Question | GrpcQuestion | None, tls: Tls | None = None, timeout_s: float = 5.0
) -> Target:
    return Target("127.0.0.1", port, question, 5.0, timeout_s, Thresholds(), tls)


async def probe(target: Target) -> Outcome:
    return await Probe(Reach())(target)


class Certified:
    """A CA, and what a server of its presents."""

    def __init__(self, directory: Path) -> None:
        ca = ThrowAwayCA()
        issued = ca.issue(NAME)
        self.root = ca.root_pem.decode() if isinstance(ca.root_pem, bytes) else ca.root_pem
        self.key, self.chain = issued.key, issued.chain.encode()
        (directory / "pem").write_bytes(self.key + self.chain)
        self.context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        self.context.load_cert_chain(directory / "pem")


@pytest.fixture
def certified(tmp_path: Path) -> Certified:
    return Certified(tmp_path)


@asynccontextmanager
async def https(
    certified: Certified, answer: bytes = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"
) -> AsyncIterator[int]:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await reader.readuntil(b"\r\n\r\n")
            writer.write(answer)
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=certified.context)
    async with server:
        yield server.sockets[0].getsockname()[1]


# -- TLS ----------------------------------------------------------------------------------------------------


async def test_https_is_good_with_the_ca_and_the_name_of_the_check(certified: Certified) -> None:
    async with https(certified) as port:
        good = Tls(ca=certified.root, name=NAME)
        assert await probe(target(port, Question("/"), good)) == Outcome(ANSWERED, "probe: HTTP 200")
        assert await probe(target(port, None, good)) == Outcome(ANSWERED, "probe: TLS handshake done")


@pytest.mark.parametrize("question", [Question("/"), None, GrpcQuestion()])
async def test_a_certificate_that_is_not_good_is_one_reason(
    certified: Certified, question: Question | GrpcQuestion | None
) -> None:
    async with https(certified) as port:
        for tls in (Tls(name=NAME), Tls(ca=certified.root), Tls(ca=certified.root, name="other.example.org")):
            outcome = await probe(target(port, question, tls))
            assert outcome.cause == "bad_certificate"
            assert outcome.sentence.startswith("probe: the certificate is not good: ")


async def test_any_certificate_will_do_where_the_check_says_so(certified: Certified) -> None:
    async with https(certified) as port:
        assert (await probe(target(port, Question("/"), Tls(verify=False)))).good


async def test_a_port_without_tls_and_one_that_says_nothing_have_one_reason_each() -> None:
    async def plain(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 400 Bad\r\nContent-Length: 0\r\n\r\n")
        writer.close()

    server = await asyncio.start_server(plain, "127.0.0.1", 0)
    async with server:
        outcome = await probe(target(server.sockets[0].getsockname()[1], Question("/"), Tls(verify=False)))
    assert outcome == Outcome("no_tls", "probe: no TLS is spoken there")

    async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()

    server = await asyncio.start_server(silent, "127.0.0.1", 0)
    async with server:
        port = server.sockets[0].getsockname()[1]
        outcome = await probe(target(port, Question("/"), Tls(verify=False), timeout_s=0.3))
    assert outcome == Outcome("timeout", "probe: timed out after 0.3 s")


async def test_cas_that_are_none_are_said(certified: Certified) -> None:
    async with https(certified) as port:
        outcome = await probe(
            target(port, Question("/"), Tls(ca="-----BEGIN CERTIFICATE-----\nAA==\n-----END CERTIFICATE-----"))
        )
    assert outcome.cause == "bad_ca"


# -- gRPC ---------------------------------------------------------------------------------------------------


@contextmanager
def grpc_server(
    credentials: grpc.ServerCredentials | None = None, *, healthy: bool = True
) -> Iterator[tuple[int, health.HealthServicer]]:
    """A gRPC server of the reference implementation, with its health service if it is to have one."""
    from concurrent.futures import ThreadPoolExecutor

    server = grpc.server(ThreadPoolExecutor(1))
    servicer = health.HealthServicer()
    if healthy:
        health_pb2_grpc.add_HealthServicer_to_server(servicer, server)
    where = "127.0.0.1:0"
    port = server.add_secure_port(where, credentials) if credentials else server.add_insecure_port(where)
    server.start()
    try:
        yield port, servicer
    finally:
        server.stop(None)


STATUS = health_pb2.HealthCheckResponse


async def test_the_server_and_its_services_say_how_they_are() -> None:
    with grpc_server() as (port, servicer):
        assert await probe(target(port, GrpcQuestion())) == Outcome(ANSWERED, "probe: gRPC SERVING")
        servicer.set("models.v1.Models", STATUS.NOT_SERVING)
        found = await probe(target(port, GrpcQuestion("models.v1.Models")))
        assert found == Outcome("grpc_not_serving", "probe: gRPC NOT_SERVING")
        servicer.set("models.v1.Models", STATUS.SERVING)
        assert (await probe(target(port, GrpcQuestion("models.v1.Models")))).good
        found = await probe(target(port, GrpcQuestion("a.service.that.is.not.there")))
        assert found == Outcome("grpc_status", "probe: gRPC NOT_FOUND")


async def test_a_server_without_the_health_service_is_named() -> None:
    with grpc_server(healthy=False) as (port, _):
        assert await probe(target(port, GrpcQuestion())) == Outcome("grpc_status", "probe: gRPC UNIMPLEMENTED")


async def test_grpc_over_tls(certified: Certified) -> None:
    credentials = grpc.ssl_server_credentials([(certified.key, certified.chain)])
    with grpc_server(credentials) as (port, _):
        assert (await probe(target(port, GrpcQuestion(), Tls(ca=certified.root, name=NAME)))).good
        assert (await probe(target(port, GrpcQuestion(), Tls(name=NAME)))).cause == "bad_certificate"
        assert not (await probe(target(port, GrpcQuestion()))).good


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n",
        b"\x00" * 100,
        b"\x00\x00\x00\x04\x00\x00\x00\x00\x00" * 40_000,  # settings for ever
    ],
)
async def test_what_is_no_grpc_is_one_reason(answer: bytes) -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(answer)
        try:
            await reader.read(1000)
            await writer.drain()
        except ConnectionError:
            pass
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        outcome = await probe(target(server.sockets[0].getsockname()[1], GrpcQuestion()))
    assert outcome.cause in ("bad_answer", "closed")


# -- what a health check asks for ---------------------------------------------------------------------------


def test_a_health_check_says_which_probe_it_is() -> None:
    instance = Instance(id="i", project_id="p", deployment_id="d", version_id="v", address="10.0.0.1", port=9000)

    def shown(**check: object) -> str:
        return str(resolve(instance, HealthCheck.model_validate(check), []))

    assert shown(type="grpc", grpc_service="a.B") == "grpc://10.0.0.1:9000/a.B"
    assert shown(type="grpc", tls=True) == "grpcs://10.0.0.1:9000/"
    assert shown(path="/up", tls=True) == "GET https://10.0.0.1:9000/up"
    assert shown(tls=True) == "connect 10.0.0.1:9000 over TLS"
    named = replace(target(1, None), tls=Tls(name=NAME))
    assert named.tls == Tls(True, None, NAME)
