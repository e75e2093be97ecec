"""What browsers are told by the web app's files, and by whom a request was made: the pure parts."""

from datetime import UTC, datetime, timedelta

import pytest

from narthex.contracts.api import (
    BusConsumer,
    BusState,
    BusStream,
    CertificateForecast,
    DatabaseState,
    HealthWorker,
    InstallationState,
    WorkerApplied,
)
from narthex.contracts.entities import Certificate, WorkerLoad
from narthex.contracts.queries import CertificatesAnswer, CertificateState, LogStoreState
from narthex_registry.api import origin
from narthex_registry.api.installation_state import forecast
from narthex_registry.api.service_overview import certificate_of, chosen
from narthex_registry.api.web_app import codings, inline_scripts, policy
from narthex_registry.checkup import problems
from narthex_registry.standings import Calls, Standing, changes, messages, standing

NOW = datetime(2026, 1, 1, tzinfo=UTC)
HOST = "narthex.example.com"


@pytest.mark.parametrize(
    ("method", "headers", "ours"),
    [
        ("GET", {}, True),
        ("POST", {}, False),
        ("POST", {"Sec-Fetch-Site": "same-origin"}, True),
        ("POST", {"Sec-Fetch-Site": "none"}, False),
        ("GET", {"Sec-Fetch-Site": "none"}, True),
        ("GET", {"Sec-Fetch-Site": "same-site"}, False),
        ("GET", {"Sec-Fetch-Site": "cross-site"}, False),
        ("GET", {"Sec-Fetch-Site": "Same-Origin"}, False),
        ("POST", {"Origin": f"https://{HOST}"}, True),
        ("POST", {"Origin": f"https://{HOST}:8443"}, False),
        ("POST", {"Origin": f"https://{HOST}.evil.test"}, False),
        ("POST", {"Origin": f"https://evil.test@{HOST}"}, False),
        ("POST", {"Origin": "null"}, False),
        ("POST", {"Origin": ""}, False),
        ("POST", {"Sec-Fetch-Site": "cross-site", "Origin": f"https://{HOST}"}, False),
        # A proxy that changes the host: what the browser says itself counts.
        ("POST", {"Sec-Fetch-Site": "same-origin", "Origin": "https://outside.example.com"}, True),
    ],
)
def test_a_request_is_ours_when_the_browser_says_so(method: str, headers: dict[str, str], ours: bool) -> None:
    assert origin.same_origin(method, HOST, headers) is ours


def test_what_changes_something_needs_the_apps_header_besides() -> None:
    site = {"Sec-Fetch-Site": "same-origin"}
    assert origin.foreign("GET", HOST, site) == ""
    assert "X-Narthex-App" in origin.foreign("DELETE", HOST, site)
    assert origin.foreign("DELETE", HOST, {**site, "X-Narthex-App": "1"}) == ""


@pytest.mark.parametrize(
    ("host", "is_one"),
    [
        ("x.services.example.com", True),
        ("x.services.example.com:8443", True),
        ("X.SERVICES.example.COM.", True),
        ("services.example.com", False),
        ("example.com", False),
        ("x.services.example.com.evil.test", False),
        ("[::1]:8000", False),
        ("", False),
    ],
)
def test_a_services_host_is_known(host: str, is_one: bool) -> None:
    assert origin.of_a_service(host, "example.com") is is_one


def test_a_proxy_says_whether_the_browser_uses_tls() -> None:
    assert origin.is_secure("http", {"X-Forwarded-Proto": "https, http"})
    assert not origin.is_secure("https", {"X-Forwarded-Proto": "http"})
    assert origin.is_secure("https", {})


def test_a_page_may_run_no_script_that_was_put_into_it() -> None:
    page = b'<script>known()</script><script nonce="__CSP_NONCE__">x</script><SCRIPT src="/a.js"></SCRIPT>'
    [known] = inline_scripts(page)
    said = policy("N", (known,))
    assert f"script-src 'self' 'nonce-N' '{known}'" in said
    assert "unsafe" not in said


def test_codings_that_are_refused_are_not_taken() -> None:
    assert codings("gzip, br;q=0, zstd; q=0.0, deflate;q=0.5") == {"gzip", "deflate"}


def test_only_what_stands_in_another_way_is_said_again() -> None:
    one, other = standing("1", "a", 2, 1, None), standing("2", "b", 1, 1, Calls(60, 6, 3, 30_000, 12.5))
    assert other == Standing("2", "b", 1, 1, 1.0, 0.1, 0.05, 12.5, 0.5)
    assert changes({}, [one, other]) == ([one, other], [])
    assert changes({"1": one, "2": other}, [one]) == ([], ["2"])
    assert changes({"1": one}, [one._replace(instances_ready=2)]) == ([one._replace(instances_ready=2)], [])


def test_thousands_of_services_come_in_several_messages_of_which_the_first_begins_anew() -> None:
    many = [standing(str(number), "x", 0, 0, None) for number in range(2500)]
    said = list(messages(many, [], measured=True, whole=True))
    assert [b'"whole":true' in each for each in said] == [True, False, False]
    assert len(list(messages([], [], measured=True, whole=True))) == 1
    assert b'"gone":["1"]' in next(messages([], ["1"], measured=False, whole=False))


@pytest.mark.parametrize(
    ("minutes", "points", "period"),
    [(15, 120, 60), (120, 120, 60), (121, 120, 300), (43_200, 120, 21_600), (60, 10, 900)],
)
def test_a_chart_has_the_shortest_periods_that_fit(minutes: int, points: int, period: int) -> None:
    assert chosen(NOW - timedelta(minutes=minutes), NOW, NOW, points).period_s == period


def certificate(host: str, ends_in: timedelta) -> Certificate:
    return Certificate(
        id=host, hosts=(host,), issuer="CA", serial="1", fingerprint="f", not_before=NOW, not_after=NOW + ends_in
    )


def test_a_services_certificate_is_its_own_or_the_one_for_all() -> None:
    wild = CertificateState(
        id="*.services.x", hosts=("*.services.x",), issuer="internal", certificate=certificate("*", timedelta(days=5))
    )
    own = CertificateState(id="a.services.x", hosts=("a.services.x",), issuer="acme", failures=2, reason="refused")
    shown = certificate_of("a.services.x", [own, wild], NOW, own_domain=False)
    assert (shown.status, shown.issuer, shown.failures) == ("good", "CA", 0)
    shown = certificate_of("a.services.x", [own], NOW, own_domain=False)
    assert (shown.status, shown.reason) == ("failing", "refused")
    assert certificate_of("b.c.services.x", [own, wild], NOW, own_domain=True).status == "waiting"
    late = wild.model_copy(update={"certificate": certificate("*", timedelta(days=-1))})
    assert certificate_of("a.services.x", [late], NOW, own_domain=False).status == "expired"


def test_what_fails_and_what_is_due_comes_first_in_the_forecast() -> None:
    states = tuple(
        CertificateState(id=name, hosts=(name,), issuer="acme", failures=failures, renew_at=NOW + timedelta(days=days))
        for name, failures, days in (("late", 0, 9), ("soon", 0, 1), ("bad", 3, 20))
    )
    found = forecast(CertificatesAnswer(certificates=(), states=states), NOW)
    assert ([each.id for each in found.next], found.failing) == (["bad", "soon", "late"], 1)


def well() -> InstallationState:
    """An installation that nothing is wrong with."""
    load = WorkerLoad(version="1")
    return InstallationState(
        version="1", time=NOW, sequence=5000, problems=[], dead_letters=0,
        routers=[WorkerApplied(router="r", worker="r/0", applied_sequence=5000, seen=NOW, load=load)],
        health_workers=[HealthWorker(name="h", instances=1, share=1.0, seen=NOW, version="1")],
        bus=BusState(), certificates=CertificateForecast(), log_store=LogStoreState(version="1"),
        database=DatabaseState(kind="sqlite"),
    )  # fmt: skip


def test_nothing_is_wrong_with_an_installation_that_is_well() -> None:
    assert problems(well(), NOW) == []


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"routers": []}, "no router was heard of"),
        ({"health_workers": []}, "no health worker"),
        ({"sequence": 9000}, "r/0 is 4000 changes behind"),
        ({"dead_letters": 2}, "2 messages were given up"),
        ({"bus": BusState(reason="away")}, "the event bus cannot be seen: away"),
        ({"log_store": LogStoreState(reason="full")}, "the log store cannot be used: full"),
        ({"database": DatabaseState(kind="sqlite", facts_waiting=5000)}, "5000 changes wait"),
        ({"version": "2"}, "parts of different versions run: 1, 2"),
        ({"certificates": CertificateForecast(reason="no answer")}, "certificates cannot be seen"),
    ],
)
def test_what_is_wrong_is_said(change: dict[str, object], says: str) -> None:
    [said] = problems(well().model_copy(update=change), NOW)
    assert says in said


def test_a_consumer_that_is_behind_and_a_certificate_that_ends_are_said() -> None:
    consumer = BusConsumer(name="audit", waiting=20_000, unacknowledged=0, redelivered=0)
    stream = BusStream(name="NARTHEX_REQUESTS", messages=1, bytes=95, limit_bytes=100, consumers=[consumer])
    ending = CertificateState(
        id="a",
        hosts=("a",),
        issuer="acme",
        certificate=certificate("a", timedelta(days=2)),
        renew_at=NOW - timedelta(1),
    )
    state = well().model_copy(
        update={"bus": BusState(streams=[stream]), "certificates": CertificateForecast(total=1, next=[ending])}
    )
    said = problems(state, NOW)
    assert said == [
        "audit is 20000 messages behind on NARTHEX_REQUESTS",
        "the stream NARTHEX_REQUESTS is 95 % full",
        "the certificate for a ends soon, and nothing is done about it",
    ]
