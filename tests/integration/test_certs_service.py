"""Certs as a whole, on a real nats-server and a real valkey-server, with the certificate used by real clients."""

import asyncio
import json
import os
import shutil
import socket
import ssl
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest

from narthex.bus import EVENTS, open_bus
from narthex.contracts.events import CertIssued
from narthex.contracts.queries import CERTIFICATES_SUBJECT, CertificatesAnswer, CertificatesQuestion
from narthex.routing import Entry, Kind, TableStore, open_table_store
from narthex.runtime import key_file
from narthex.runtime.key_file import read_sealing_keys
from narthex.runtime.sealing import Sealer
from narthex.runtime.service import Part
from narthex.runtime.tasks import background
from narthex.testing.servers import NatsServer, ValkeyServer, free_port, nats_server, valkey_server
from narthex.testing.waiting import eventually, until
from narthex_certs.app import Config
from narthex_certs.app import open as open_certs

WITHIN_S = 10.0
WILDCARD = "*.services.localhost"


@pytest.fixture
def servers(tmp_path: Path) -> Iterator[tuple[NatsServer, ValkeyServer]]:
    with nats_server(tmp_path) as nats, valkey_server(tmp_path) as valkey:
        yield nats, valkey


@pytest.fixture(autouse=True)
def environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NARTHEX_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setenv("NARTHEX_SEALING_KEY_FILE", str(tmp_path / "sealing.key"))
    monkeypatch.setenv("NARTHEX_CERTS_TABLE_INTERVAL_S", "0.1")
    monkeypatch.setenv("NARTHEX_NATS_USER", "certs")
    for name in ("NATS_URL", "NATS_PASSWORD", "REDIS_URL", "DOMAIN"):
        monkeypatch.setenv(f"NARTHEX_{name}", "")  # `certs_at` sets them; this takes them back


@asynccontextmanager
async def certs_at(
    nats_url: str, nats_password: str, valkey_url: str, domain: str = "localhost"
) -> AsyncIterator[Part]:
    os.environ["NARTHEX_NATS_URL"] = nats_url
    os.environ["NARTHEX_NATS_PASSWORD"] = nats_password
    os.environ["NARTHEX_REDIS_URL"] = valkey_url
    os.environ["NARTHEX_DOMAIN"] = domain
    async with open_certs(Config()) as part:
        yield part


@asynccontextmanager
async def certs_on(servers: tuple[NatsServer, ValkeyServer], domain: str = "localhost") -> AsyncIterator[Part]:
    nats, valkey = servers
    async with certs_at(nats.url, nats.passwords["certs"], valkey.url, domain) as part:
        yield part


@asynccontextmanager
async def table_of(valkey: ValkeyServer) -> AsyncIterator[TableStore]:
    async with open_table_store(valkey.url, timeout_s=2.0) as store:
        yield store


async def ready(part: Part) -> None:
    await until(lambda: not any(check() for check in part.checks.values()))


async def entry_in(store: TableStore, key: str = WILDCARD) -> Entry:
    """The certificate as the table holds it, once it does."""

    async def there() -> Entry | None:
        entry = await store.get(Kind.CERTIFICATE, key)
        return entry if entry is not None and entry.payload is not None else None

    found = await eventually(there)
    assert found is not None
    return found


@contextmanager
def tls_server(entry: Entry, tmp_path: Path) -> Iterator[int]:
    """What a router does with the entry: unseal, load, listen. Yields the port."""
    assert entry.payload is not None
    payload = json.loads(entry.payload)
    key = Sealer(read_sealing_keys(tmp_path / "sealing.key")[0]).open(
        payload["sealed_key"], f"certificate:{payload['id']}"
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    with tempfile.NamedTemporaryFile(dir=tmp_path) as file:
        file.write(payload["chain"].encode() + key)
        file.flush()
        context.load_cert_chain(file.name)
    answer = b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\nConnection: close\r\n\r\nyes"

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(answer)
        await writer.drain()
        writer.close()

    with _in_thread(serve, context) as port:
        yield port


@contextmanager
def _in_thread(
    serve: Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]], context: ssl.SSLContext
) -> Iterator[int]:
    import threading

    ports: list[int] = []
    up = threading.Event()
    loop = asyncio.new_event_loop()

    async def run() -> None:
        server = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=context)
        ports.append(server.sockets[0].getsockname()[1])
        up.set()
        try:
            await server.serve_forever()
        except asyncio.CancelledError:
            server.close()

    task = loop.create_task(run())
    thread = threading.Thread(target=lambda: loop.run_until_complete(asyncio.gather(task, return_exceptions=True)))
    thread.start()
    try:
        assert up.wait(WITHIN_S)
        yield ports[0]
    finally:
        loop.call_soon_threadsafe(task.cancel)
        thread.join(WITHIN_S)
        loop.close()


@pytest.fixture
async def served(servers, tmp_path: Path) -> AsyncIterator[tuple[int, Path]]:
    """The certificate from the table behind a TLS port; yields the port and the root to trust."""
    async with certs_on(servers), table_of(servers[1]) as store:
        entry = await entry_in(store)
        with tls_server(entry, tmp_path) as port:
            yield port, tmp_path / "data/ca/root.pem"


def handshake(port: int, root: Path, host: str) -> dict[str, object]:
    context = ssl.create_default_context(cafile=str(root))
    context.verify_flags |= ssl.VERIFY_X509_STRICT
    with (
        socket.create_connection(("127.0.0.1", port), timeout=WITHIN_S) as raw,
        context.wrap_socket(raw, server_hostname=host) as connection,
    ):
        peer = connection.getpeercert()
        assert peer is not None
        return dict(peer)


async def test_python_trusts_it_with_every_strict_check(served):
    port, root = served
    peer = await asyncio.to_thread(handshake, port, root, "0192aa.services.localhost")
    assert peer["subjectAltName"] == (("DNS", WILDCARD),)


async def test_python_does_not_take_it_for_another_host(served):
    port, root = served
    with pytest.raises(ssl.SSLCertVerificationError, match=r"Hostname mismatch"):
        await asyncio.to_thread(handshake, port, root, "services.example.com")


@pytest.mark.skipif(shutil.which("curl") is None, reason="there is no curl here")
async def test_curl_trusts_it(served):
    port, root = served
    url = f"https://0192aa.services.localhost:{port}/"
    where = f"0192aa.services.localhost:{port}:127.0.0.1"
    done = await asyncio.to_thread(
        subprocess.run,
        ["curl", "-sS", "--cacert", str(root), "--resolve", where, url],
        capture_output=True,
        text=True,
        timeout=30,
    )
    assert (done.stdout, done.stderr) == ("yes", "")


@pytest.mark.skipif(shutil.which("openssl") is None, reason="there is no openssl here")
async def test_openssl_s_client_verifies_it(served):
    port, root = served
    host = "0192aa.services.localhost"
    command = ["openssl", "s_client", "-connect", f"127.0.0.1:{port}", "-servername", host, "-verify_hostname", host]
    command += ["-CAfile", str(root), "-x509_strict", "-verify_return_error"]
    done = await asyncio.to_thread(
        subprocess.run, command, input="GET / HTTP/1.1\r\n\r\n", capture_output=True, text=True, timeout=30
    )
    assert "Verify return code: 0 (ok)" in done.stdout


async def test_it_tells_that_it_issued_and_answers_what_it_holds(servers):
    nats, _ = servers
    told: asyncio.Queue[CertIssued] = asyncio.Queue()
    async with open_bus(nats.settings("registry"), "registry") as bus, background() as tasks, certs_on(servers) as part:
        await bus.ensure_streams()
        tasks.start(bus.consume(EVENTS, {CertIssued: told.put}), "events")
        async with asyncio.timeout(WITHIN_S):
            event = await told.get()
        await ready(part)
        answer = await bus.ask(CERTIFICATES_SUBJECT, CertificatesQuestion(), CertificatesAnswer)
    assert answer.certificates == (event.entity,)
    assert event.entity.id == WILDCARD
    assert len(event.entity.fingerprint) == 64


async def test_after_a_change_of_the_sealing_key_all_keys_are_sealed_anew_and_routers_are_told(
    servers, tmp_path, monkeypatch
):
    monkeypatch.setattr(key_file, "LOOK_EVERY_S", 0.05)
    file = tmp_path / "sealing.key"
    async with certs_on(servers), table_of(servers[1]) as store:
        first = await entry_in(store)
        now = datetime.now(UTC)
        keys = key_file.promoted(key_file.staged(key_file.read_keys(file), now), now)
        key_file.replace_keys(file, keys)

        async def renewed() -> Entry | None:
            entry = await entry_in(store)
            return entry if entry.revision > first.revision else None

        entry = await eventually(renewed)
        assert entry is not None
        assert entry.payload is not None
        fresh, before = Sealer(keys[0].secret), Sealer(keys[1].secret)
        told, was = json.loads(entry.payload), json.loads(first.payload or b"")
        context = f"certificate:{WILDCARD}"
        assert told["chain"] == was["chain"]
        assert fresh.open(told["sealed_key"], context) == before.open(was["sealed_key"], context)
        for name in ("root", "issuing"):
            fresh.open((tmp_path / f"data/ca/{name}.key.sealed").read_text().strip(), f"ca:{name}")

    key_file.replace_keys(file, key_file.without(keys, keys[1].id))
    async with certs_on(servers) as part, table_of(servers[1]) as store:
        await ready(part)
        assert await entry_in(store) == entry


async def test_an_emptied_valkey_has_it_again(servers, tmp_path):
    import redis.asyncio

    async with certs_on(servers) as part, table_of(servers[1]) as store:
        first = await entry_in(store)
        async with redis.asyncio.Redis.from_url(servers[1].url) as raw:
            await raw.flushall()
        assert await entry_in(store) == first
        assert part.checks["table"]() == ""


async def test_a_replaced_valkey_gets_it_and_an_absent_one_is_a_reason_not_to_be_ready(tmp_path):
    port = free_port()
    with nats_server(tmp_path) as nats:
        url = f"redis://:secret@127.0.0.1:{port}/0"
        async with certs_at(nats.url, nats.passwords["certs"], url) as part:
            for name in ("first", "second"):
                await until(lambda: "away" in part.checks["table"]())
                with valkey_server(tmp_path / name, port=port, password="secret") as valkey:
                    async with table_of(valkey) as store:
                        await entry_in(store)
                    await ready(part)


async def test_it_makes_its_certificate_with_nats_and_valkey_away(tmp_path):
    async with certs_at("nats://127.0.0.1:1", "", "redis://127.0.0.1:1/0") as part:
        assert (tmp_path / "data/ca/root.pem").exists()
        assert part.checks["bus"]() != ""
        assert part.checks["table"]() != ""


async def test_a_restart_on_the_same_directory_changes_nothing(servers):
    async with table_of(servers[1]) as store:
        async with certs_on(servers) as part:
            await ready(part)
            first = await entry_in(store)
        position = await store.position()
        async with certs_on(servers) as part:
            await ready(part)
        assert await entry_in(store) == first
        assert await store.position() == position


async def test_a_data_directory_older_than_the_table_counts_on_from_there(servers, tmp_path):
    async with table_of(servers[1]) as store:
        async with certs_on(servers):
            first = await entry_in(store)
        shutil.rmtree(tmp_path / "data")
        await store.apply([Entry(Kind.CERTIFICATE, WILDCARD, 41, 0, first.payload)])
        async with certs_on(servers) as part:
            await ready(part)
            second = await entry_in(store)
    assert second.revision == 42
    assert second.payload != first.payload
    assert json.loads((tmp_path / "data/certs/wildcard.json").read_text())["revision"] == 42


async def test_after_a_change_of_domain_the_old_certificate_leaves_the_table(servers):
    async with table_of(servers[1]) as store:
        async with certs_on(servers):
            await entry_in(store)
        async with certs_on(servers, "example.com") as part:
            await ready(part)
            await entry_in(store, "*.services.example.com")
            old = await store.get(Kind.CERTIFICATE, WILDCARD)
    assert old is not None
    assert old.payload is None


NOBODY = {
    "NARTHEX_DOMAIN": "localhost", "NARTHEX_NATS_URL": "nats://127.0.0.1:1", "NARTHEX_REDIS_URL": "redis://127.0.0.1:1/0",
}  # fmt: skip


def run_certs(tmp_path: Path, **environment: str) -> "subprocess.CompletedProcess[str]":
    """`narthex serve certs` until it gives up."""
    program = "import sys; from narthex.runtime.service import serve; sys.exit(serve('certs'))"
    return subprocess.run(
        [sys.executable, "-c", program],
        env=os.environ | NOBODY | environment,
        capture_output=True,
        text=True,
        timeout=60,
    )


async def test_under_another_sealing_key_it_exits_with_2_and_a_sentence(tmp_path):
    async with certs_at("nats://127.0.0.1:1", "", "redis://127.0.0.1:1/0"):
        pass
    other = tmp_path / "other.key"
    other.write_text("ab" * 32)
    done = await asyncio.to_thread(run_certs, tmp_path, NARTHEX_SEALING_KEY_FILE=str(other))
    assert done.returncode == 2
    last = done.stderr.strip().splitlines()[-1]
    assert last.startswith("narthex certs: cannot open ")
    assert "Put the sealing key back" in last


async def test_a_lost_sealing_key_is_not_replaced_by_a_new_one(tmp_path):
    async with certs_at("nats://127.0.0.1:1", "", "redis://127.0.0.1:1/0"):
        pass
    (tmp_path / "sealing.key").unlink()
    done = await asyncio.to_thread(run_certs, tmp_path)
    assert done.returncode == 2
    assert "is missing" in done.stderr.strip().splitlines()[-1]
    assert not (tmp_path / "sealing.key").exists()


async def test_a_wrong_setting_exits_with_2_and_its_name(tmp_path):
    done = await asyncio.to_thread(run_certs, tmp_path, NARTHEX_CERTS_LEAF_DAYS="0")
    assert done.returncode == 2
    assert "NARTHEX_CERTS_LEAF_DAYS" in done.stderr
