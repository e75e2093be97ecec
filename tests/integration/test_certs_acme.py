"""Certificates from a CA that validates for real: Debian's pebble, with nonces refused and sleeps in between."""

import json
import stat
import sys
from datetime import UTC, datetime

import pytest
from cryptography import x509
from integration.acme_kit import needs_pebble, site
from integration.dns_server import dns_server

from narthex.contracts.errors import Conflict
from narthex.contracts.events import CertRequested
from narthex.contracts.queries import (
    CERTIFICATES_SUBJECT,
    CHANGE_ACCOUNT_KEY_SUBJECT,
    REHEARSE_CERTIFICATE_SUBJECT,
    RENEW_CERTIFICATE_SUBJECT,
    AccountKeyChange,
    AccountKeyChanged,
    CertificateRehearsal,
    CertificateRehearsed,
    CertificateRenewal,
    CertificatesAnswer,
    CertificatesQuestion,
    CertificateState,
)
from narthex.routing import Kind
from narthex.runtime import key_file
from narthex.runtime.sealing import Sealer
from narthex.testing.pebble import pebble
from narthex.testing.waiting import eventually, until

pytestmark = needs_pebble

UNFRIENDLY = {"PEBBLE_WFE_NONCEREJECT": "50", "PEBBLE_VA_NOSLEEP": "0", "PEBBLE_VA_SLEEPTIME": "1"}


async def test_a_new_service_is_served_with_a_certificate_of_the_ca(tmp_path, monkeypatch):
    async with site(tmp_path, monkeypatch) as here, here.certs():
        await here.add_service("svc")
        peer = await here.served("svc.services.test")
        assert peer["subjectAltName"] == (("DNS", "svc.services.test"),)
        await here.issued("svc.services.test")
        assert [event.hosts for event in here.told_of(CertRequested)] == [("svc.services.test",)]
        assert here.ca.orders() == 1

        # Nothing of it is left lying about, and its key is nowhere in the clear.
        assert not here.plane.table.challenges
        kept = "".join(file.read_text() for file in (tmp_path / "data").rglob("*.json"))
        entry = await here.store.get(Kind.CERTIFICATE, "svc.services.test")
        assert entry is not None
        assert "PRIVATE" not in kept + (entry.payload or b"").decode()
        for file in (tmp_path / "data/certs/acme").rglob("*.json"):
            assert stat.S_IMODE(file.stat().st_mode) == 0o600


@pytest.mark.parametrize("challenge", ["http-01", "tls-alpn-01"])
async def test_each_challenge_issues_and_renews_at_an_unfriendly_ca(tmp_path, monkeypatch, challenge):
    async with site(tmp_path, monkeypatch, **UNFRIENDLY) as here:
        here.set(acme_challenge=challenge)
        async with here.certs():
            await here.add_service("svc")
            first = await here.served("svc.services.test")
            await here.issued("svc.services.test")
            await here.bus.ask(RENEW_CERTIFICATE_SUBJECT, CertificateRenewal(id="svc.services.test"), CertificateState)
            await here.issued("svc.services.test", 2)

            async def swapped() -> bool:
                return (await here.served("svc.services.test"))["serialNumber"] != first["serialNumber"]

            await eventually(swapped)
            assert here.ca.orders() == 2


async def test_one_wildcard_by_a_dynamic_update_covers_all_services(tmp_path, monkeypatch):
    async with dns_server("test", tmp_path) as dns, site(tmp_path, monkeypatch) as here:
        with pebble(tmp_path / "other", here.http_port, here.https_port, dns=dns.address, **UNFRIENDLY) as ca:
            here.order_from(ca)
            here.set(acme_challenge="dns-01", dns_provider="rfc2136", dns_zone="test", dns_settle_s=0)
            here.set(
                dns_server="127.0.0.1", dns_port=dns.port, dns_tsig_name="key.", dns_tsig_secret_file=dns.secret_file
            )
            async with here.certs():
                for name in ("one", "two"):
                    await here.add_service(name)
                for name in ("one", "two"):
                    peer = await here.served(here.host(name))
                    assert peer["subjectAltName"] == (("DNS", "*.services.test"),)
                assert ca.orders() == 1
                assert dns.updates == ["add _acme-challenge.services.test", "delete _acme-challenge.services.test"]
                assert not dns.records


async def test_a_command_can_write_the_dns_record(tmp_path, monkeypatch):
    async with site(tmp_path, monkeypatch) as here:
        hook = tmp_path / "hook.py"
        hook.write_text(
            "import json, sys, urllib.request\n"
            "verb, name, value = sys.argv[1:]\n"
            "path = 'set-txt' if verb == 'add' else 'clear-txt'\n"
            f"urllib.request.urlopen('{here.ca.dns_management}/' + path,"
            " json.dumps({'host': name + '.', 'value': value}).encode()).read()\n"
        )
        here.set(acme_challenge="dns-01", dns_provider="hook", dns_hook=f"{sys.executable} {hook}", dns_settle_s=0)
        async with here.certs():
            await here.add_service("svc")
            peer = await here.served("svc.services.test")
            assert peer["subjectAltName"] == (("DNS", "*.services.test"),)


async def test_the_account_goes_on_with_another_key_also_when_the_change_was_cut_off(tmp_path, monkeypatch):
    async with site(tmp_path, monkeypatch) as here:

        async def change() -> AccountKeyChanged:
            return await here.bus.ask(CHANGE_ACCOUNT_KEY_SUBJECT, AccountKeyChange(), AccountKeyChanged, 30.0)

        async with here.certs():
            await here.add_service("one")
            await here.issued("one.services.test")
            (file,) = (tmp_path / "data/certs/acme/account").glob("*.json")
            before = json.loads(file.read_text())

            async def changed() -> AccountKeyChanged | None:
                try:
                    return await change()
                except Conflict:  # the order is not cleared away yet
                    return None

            first = await eventually(changed)
            assert first is not None
            now = json.loads(file.read_text())
            assert first.account == before["url"] == now["url"]
            assert now["sealed_key"] != before["sealed_key"]
            assert now["next_sealed_key"] == ""
            second = await change()
            assert (second.account, second.key != first.key) == (first.account, True)
            await here.add_service("two")
            await here.issued("two.services.test")
            after = json.loads(file.read_text())

        # As if the CA had changed it, and the worker had died before it could write that down; and the other way round.
        for held in (
            {**after, "sealed_key": now["sealed_key"], "next_sealed_key": after["sealed_key"]},
            {**after, "next_sealed_key": before["sealed_key"]},
        ):
            await here.forget_records()  # what is on disk counts then
            file.write_text(json.dumps(held))
            async with here.certs():
                name = f"more-{len(here.facts)}"
                await here.add_service(name)
                await here.issued(f"{name}.services.test")
            assert json.loads(file.read_text()) == after


async def test_what_was_obtained_and_the_account_are_sealed_anew_after_a_change_of_the_sealing_key(
    tmp_path, monkeypatch
):
    monkeypatch.setattr(key_file, "LOOK_EVERY_S", 0.05)
    async with site(tmp_path, monkeypatch) as here, here.certs():
        await here.add_service("svc")
        await here.issued("svc.services.test")
        kept = tmp_path / "data/certs/acme"
        now = datetime.now(UTC)
        file = tmp_path / "sealing.key"
        keys = key_file.promoted(key_file.staged(key_file.read_keys(file), now), now)
        fresh = Sealer(keys[0].secret)
        key_file.replace_keys(file, keys)

        async def sealed_anew() -> bool:
            held = {noun: [json.loads(each.read_text()) for each in (kept / noun).glob("*.json")]
                    for noun in ("account", "certificate")}  # fmt: skip
            entry = await here.store.get(Kind.CERTIFICATE, "svc.services.test")
            assert entry is not None
            try:
                fresh.open(json.loads(entry.payload or b"")["sealed_key"], "certificate:svc.services.test")
                return all(
                    fresh.open(record["sealed_key"], f"{noun}:{record['id']}") for noun in held for record in held[noun]
                ) and all(held.values())
            except ValueError:
                return False

        await eventually(sealed_anew)
        assert here.ca.orders() == 1


async def test_an_external_account_is_bound(tmp_path, monkeypatch):
    mac = "zWNDZM6eQGHWpSRTPal5eIUYFTu7EajVIoguysqZ9wG44nMEtx3MUAsUDkMTQ12W"
    async with site(tmp_path, monkeypatch) as here:
        with pebble(tmp_path / "bound", here.http_port, here.https_port, binding=("kid-1", mac)) as ca:
            (tmp_path / "mac").write_text(mac + "\n")
            here.order_from(ca)
            here.set(acme_eab_key_id="kid-1", acme_eab_mac_key_file=tmp_path / "mac", acme_contact="a@example.com")
            async with here.certs():
                await here.add_service("svc")
                await here.served("svc.services.test")


async def test_the_preferred_of_several_chains_is_served(tmp_path, monkeypatch):
    async with site(tmp_path, monkeypatch, PEBBLE_ALTERNATE_ROOTS="2") as here:
        root = here.ca.root(1)
        wanted = x509.load_pem_x509_certificate(root.encode()).subject
        here.set(acme_preferred_chain=wanted.get_attributes_for_oid(x509.NameOID.COMMON_NAME)[0].value)
        async with here.certs():
            await here.add_service("svc")
            await here.issued("svc.services.test")
            entry = await here.store.get(Kind.CERTIFICATE, "svc.services.test")
            assert entry is not None
            chain = json.loads(entry.payload or b"")["chain"]
            assert x509.load_pem_x509_certificates(chain.encode())[-1].issuer == wanted


async def test_a_certificate_and_its_key_go_with_their_service_and_are_revoked_if_so_set(tmp_path, monkeypatch):
    async with site(tmp_path, monkeypatch) as here:
        here.set(acme_revoke_deleted="true")
        async with here.certs():
            await here.add_service("svc")
            peer = await here.served("svc.services.test")
            await here.issued("svc.services.test")
            await here.remove_service("svc")
            await until(lambda: "svc.services.test" not in here.certificates)
            assert here.ca.status(peer["serialNumber"]) == "Revoked"
            await until(lambda: not list((tmp_path / "data/certs/acme/certificate").iterdir()))


async def test_a_rehearsal_goes_through_an_order_and_keeps_nothing(tmp_path, monkeypatch):
    async with site(tmp_path, monkeypatch) as here, here.certs():
        question = CertificateRehearsal(hosts=("try.services.test",))

        async def rehearsed() -> CertificateRehearsed | None:
            try:
                return await here.bus.ask(REHEARSE_CERTIFICATE_SUBJECT, question, CertificateRehearsed, 30.0)
            except Exception:
                return None

        answer = await eventually(rehearsed)
        assert answer is not None
        assert answer.passed, answer.reason
        assert answer.steps[-1] == "fetched the certificate and its chain"
        assert "try.services.test" not in here.certificates


async def test_until_the_ca_has_issued_a_service_is_reached_only_if_the_installation_says_so(tmp_path, monkeypatch):
    async with site(tmp_path, monkeypatch) as here:
        here.set(acme_directory="https://localhost:1/dir")
        for meanwhile, covered in (("false", {"services.test"}), ("true", {"*.services.test"})):
            here.set(internal_meanwhile=meanwhile)
            async with here.certs():
                await here.add_service(f"svc-{meanwhile}")
                await until(lambda covered=covered: set(here.certificates) == covered)


async def test_an_emptied_valkey_has_everything_again_without_another_order(tmp_path, monkeypatch):
    import redis.asyncio

    async with site(tmp_path, monkeypatch) as here, here.certs():
        await here.add_service("svc")
        await here.served("svc.services.test")
        await here.issued("svc.services.test")
        async with redis.asyncio.Redis.from_url(here.valkey.url) as raw:
            await raw.flushall()

        async def back() -> bool:
            held = await here.store.get(Kind.CERTIFICATE, "svc.services.test")
            return held is not None and held.payload is not None

        await eventually(back)
        answer = await eventually(lambda: _listed(here))
        assert {state.id for state in answer.states} == {"services.test", "svc.services.test"}
        assert here.ca.orders() == 1


async def _listed(here) -> CertificatesAnswer | None:
    try:
        return await here.bus.ask(CERTIFICATES_SUBJECT, CertificatesQuestion(), CertificatesAnswer)
    except Exception:
        return None


async def test_a_domain_of_somebodys_own_is_ordered_once_it_is_shown_to_be_theirs(tmp_path, monkeypatch):
    async with site(tmp_path, monkeypatch) as here, here.certs():
        await here.add_service("svc")
        await here.add_domain("shop.example.com", "svc")
        peer = await here.served("shop.example.com")
        assert peer["subjectAltName"] == (("DNS", "shop.example.com"),)
