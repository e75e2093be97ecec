"""What routers answer to a CA, and what they take for a domain."""

from integration.router_kit import TOKEN_KEY, entry, service_entries

from narthex.routing import Entry, Kind
from narthex_router.challenges import Challenges
from narthex_router.domains import Domains
from narthex_router.facts import Challenge, Domain
from narthex_router.table import Table

PATH = b"/.well-known/acme-challenge/"


def challenges(**held: Challenge) -> Challenges:
    found = Challenges(lambda sealed, context: b"")
    found.load(held)
    return found


def test_only_the_token_of_the_host_is_answered_as_it_was_written():
    held = challenges(token=Challenge(type="http-01", host="a.test", answer="token.thumb"))
    assert held
    answer = held.answer(b"GET", b"a.test", PATH + b"token")
    assert answer is not None
    assert answer.endswith(b"\r\n\r\ntoken.thumb")
    for method, host, target in (
        (b"GET", b"b.test", PATH + b"token"),
        (b"GET", b"a.test", PATH + b"other"),
        (b"GET", b"a.test", PATH + b"token/"),
        (b"GET", b"a.test", b"/" + PATH + b"token"),
        (b"GET", b"a.test", PATH + b"../acme-challenge/token"),
        (b"GET", b"a.test", PATH + b"%74oken"),
        (b"GET", b"a.test", PATH + b"token?x"),
        (b"GET", b"a.test", PATH.upper() + b"token"),
        (b"POST", b"a.test", PATH + b"token"),
    ):
        assert held.answer(method, host, target) is None


def test_nothing_is_looked_at_while_there_is_nothing_to_prove():
    held = challenges()
    assert not held
    assert not held.proving


def test_only_a_client_that_offers_the_challenges_protocol_is_shown_the_proof():
    held = challenges()
    assert held.prover(b"\x16\x03\x01 ... http/1.1") is None
    assert held.prover(b"\x16\x03\x01 ... \x0aacme-tls/1") is not None


def domain(host: str, service: str = "s", *, verified: object = True) -> Domain:
    return Domain(host=host, service_id=service, verified=verified)


def test_only_a_domain_that_was_shown_to_be_somebodys_leads_to_a_service():
    held = Domains(b".services.test")
    for claimed in (domain("a.example", verified=False), domain("a.example", verified="true")):
        assert held.change(None, claimed) == []
    assert held.service_of(b"a.example") == ""
    assert held.change(domain("a.example", verified=False), domain("a.example")) == [b"a.example"]
    assert (held.service_of(b"a.example"), held.hosts_of("s")) == ("s", (b"a.example",))


def test_a_domain_that_moves_or_goes_leads_nowhere_else():
    held = Domains(b".services.test")
    held.change(None, domain("a.example"))
    held.change(domain("a.example"), domain("a.example", "other"))
    assert (held.service_of(b"a.example"), held.hosts_of("s")) == ("other", ())
    assert held.change(domain("a.example", "other"), None) == [b"a.example"]
    assert held.service_of(b"a.example") == ""


def test_no_domain_takes_the_place_of_a_services_own_host():
    held = Domains(b".services.test")
    assert held.change(None, domain("victim.services.test")) == []
    assert held.service_of(b"victim.services.test") == ""


def test_a_services_domains_are_routed_as_its_own_host_is_and_go_with_it():
    table = Table("test", TOKEN_KEY)
    table.apply(service_entries([1001]))
    table.apply([entry(Kind.DOMAIN, "d", host="shop.example", service_id="svc", verified=True)])
    route = table.route(b"shop.example")
    assert route is not None
    assert (route.service_id, [target.port for target in route.targets]) == ("svc", [1001])

    table.apply([entry(Kind.HEALTH, "svc-i0", 2, health="unhealthy")])
    changed = table.route(b"shop.example")
    assert changed is not None
    assert not changed.targets

    table.apply([Entry(Kind.SERVICE, "svc", 9, 9, None)])
    assert table.route(b"shop.example") is None


def test_a_domain_whose_service_is_not_known_yet_waits_for_it():
    table = Table("test", TOKEN_KEY)
    table.apply([entry(Kind.DOMAIN, "d", host="shop.example", service_id="svc", verified=True)])
    assert table.route(b"shop.example") is None
    table.apply(service_entries([1001]))
    assert table.route(b"shop.example") is not None
