"""Certificates as a user of a whole system sees them: ordered from a CA that validates, shown, renewed, rehearsed."""

import socket
import ssl
from pathlib import Path

from integration.acme_kit import needs_pebble

from narthex.testing.pebble import pebble
from narthex.testing.servers import free_port
from narthex.testing.system import running_system
from narthex.testing.waiting import eventually_sync

pytestmark = needs_pebble


def test_a_service_gets_its_certificate_by_itself_and_the_cli_says_how_things_stand(tmp_path: Path) -> None:
    http_port, https_port = free_port(), free_port()
    with pebble(tmp_path, http_port, https_port) as ca:
        settings = {
            "NARTHEX_CERTS_ISSUER": "acme",
            "NARTHEX_CERTS_ACME_DIRECTORY": ca.directory,
            "NARTHEX_CERTS_ACME_STAGING_DIRECTORY": ca.directory,
            "NARTHEX_CERTS_ACME_CA_FILE": str(ca.ca_file),
        }
        flags = ["--http-port", str(http_port), "--https-port", str(https_port)]
        with running_system(tmp_path / "system", *flags, settings=settings) as system:
            system.cli("deployments", "create", "hello")
            service = system.json("services", "create", "hello", "--deployment", "hello", "--port", "9000")
            host = f"{service['id']}.services.localhost"
            trust = ssl.create_default_context(cadata=ca.root())
            answered = eventually_sync(lambda: status(host, https_port, trust))
            assert answered == 401

            shown = system.json("certs", "show", host)
            assert shown["certificate"]["hosts"] == [host]
            system.json("certs", "renew", host)
            serial = shown["certificate"]["serial"]
            eventually_sync(lambda: system.json("certs", "show", host)["certificate"]["serial"] != serial)
            assert host in system.cli("certs", "list").stdout
            assert "the rehearsal passed" in system.cli("certs", "rehearse", host).stderr

            made = system.json("domains", "add", "hello", "shop.example.com")
            assert made["txt_name"] == "_narthex.shop.example.com"
            system.cli("domains", "remove", "hello", "shop.example.com")

            bundle = tmp_path / "bundle.pem"
            system.cli("ca", "trust", "--bundle", str(bundle))
            assert system.root_pem.read_text() in bundle.read_text()


def status(host: str, port: int, trust: ssl.SSLContext) -> int:
    """What a client gets; 0 while it gets nothing that it trusts."""
    try:
        with (
            socket.create_connection(("127.0.0.1", port), timeout=10) as raw,
            trust.wrap_socket(raw, server_hostname=host) as connection,
        ):
            connection.sendall(f"GET / HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n".encode())
            return int(connection.recv(4096).split(b" ")[1])
    except OSError:
        return 0
