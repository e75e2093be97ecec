"""Which worker accepts from which socket, and what of a predecessor's ports is used on."""

import socket
import ssl
import time
from collections.abc import Iterator

import pytest

from narthex_router.ports import Ports, open_ports, share
from narthex_router.tickets import KEY_BYTES, LIFE_S, TicketKey, use_ticket_key


@pytest.mark.parametrize("workers", range(1, 7))
@pytest.mark.parametrize("sockets", range(1, 7))
def test_every_socket_has_a_worker_and_every_worker_a_socket(sockets: int, workers: int) -> None:
    made = [socket.socket() for _ in range(sockets)]
    shares = [share(made, slot, workers) for slot in range(workers)]
    assert all(shares)
    assert {each for some in shares for each in some} == set(made)
    for each in made:
        each.close()


@pytest.fixture
def held() -> Iterator[Ports]:
    ports = open_ports("127.0.0.1", 0, 0, 2)
    yield ports
    ports.close()


def test_a_port_that_is_held_is_used_on_with_all_its_sockets(held: Ports) -> None:
    taken = open_ports("127.0.0.1", 0, 0, 1, held)
    assert taken.secure is held.secure
    assert taken.plain is held.plain


def test_a_port_that_the_settings_name_no_more_is_let_go(held: Ports) -> None:
    elsewhere = open_ports("127.0.0.2", 0, 0, 1, held)
    assert [each.fileno() for each in held.secure.sockets] == [-1, -1]
    assert len(elsewhere.secure.sockets) == 1
    elsewhere.close()


def test_a_ticket_key_is_used_on_for_a_day(held: Ports) -> None:
    assert open_ports("127.0.0.1", 0, 0, 1, held).ticket_key is held.ticket_key
    old = Ports(held.secure, held.plain, TicketKey(bytes(KEY_BYTES), time.time() - LIFE_S))
    assert open_ports("127.0.0.1", 0, 0, 1, old).ticket_key.secret != bytes(KEY_BYTES)


def test_a_ticket_key_of_another_length_is_not_used() -> None:
    assert not TicketKey(b"short", time.time()).good(time.time())
    assert not use_ticket_key(ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER), b"short")
