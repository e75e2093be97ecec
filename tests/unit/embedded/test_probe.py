"""What an answer of a part means."""

from narthex.runtime.supervisor.plan import Probe
from narthex.runtime.supervisor.probe import reason

NOT_READY = b'HTTP/1.1 503 Unavailable\r\nContent-Type: application/json\r\n\r\n{"waiting_for": {"bus": "away"}}'


def test_a_service_is_ready_when_it_says_200() -> None:
    assert reason(Probe.READYZ, b"HTTP/1.1 200 OK\r\n\r\n{}") == ""


def test_a_service_that_is_not_ready_says_what_it_waits_for() -> None:
    assert reason(Probe.READYZ, NOT_READY) == "bus: away"


def test_an_answer_that_makes_no_sense_is_not_ready() -> None:
    for answer in (b"", b"HTTP/1.1 503 x\r\n\r\n[]", b"HTTP/1.1 500 x\r\n\r\n", b"\xff\xfe", b"SSH-2.0"):
        assert reason(Probe.READYZ, answer) == "not ready"


def test_nats_is_ready_when_it_greets() -> None:
    assert reason(Probe.NATS, b'INFO {"server_id": "x"}\r\n') == ""
    assert reason(Probe.NATS, b"HTTP/1.1 400\r\n") == "no greeting"


def test_valkey_is_ready_when_it_asks_for_a_password_but_not_while_it_loads() -> None:
    assert reason(Probe.VALKEY, b"-NOAUTH Authentication required.\r\n") == ""
    assert reason(Probe.VALKEY, b"-LOADING server is loading\r\n") == "-LOADING server is loading"
