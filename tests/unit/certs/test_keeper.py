"""The keeper over a real directory, on a clock that is turned by hand."""

import shutil
import stat
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path

import pytest

from narthex.contracts.errors import Misconfigured, Unavailable
from narthex.contracts.events import CertIssued, CertRenewalFailed, Event
from narthex.runtime.sealing import Sealer
from narthex.runtime.tasks import background
from narthex.testing.clock import ManualClock
from narthex_certs.authority import constrained_to, issued_by
from narthex_certs.certificate import wildcard_hosts
from narthex_certs.keeper import Keeper
from narthex_certs.vault import Vault

DAY_S = 86_400.0
KEY = bytes(32)


class Stream:
    """Takes events while it is there."""

    def __init__(self) -> None:
        self.there = True
        self.events: list[Event] = []

    async def publish(self, event: Event) -> None:
        if not self.there:
            raise Unavailable("the event bus is away")
        self.events.append(event)


def keeper_on(
    directory: Path,
    domain: str = "localhost",
    *,
    key: bytes = KEY,
    clock: ManualClock | None = None,
    stream: Stream | None = None,
) -> Keeper:
    vault = Vault(directory, Sealer(key))
    hosts = wildcard_hosts(domain)
    return Keeper(vault, stream or Stream(), clock or ManualClock(), domain, hosts, timedelta(days=7), 600.0)


def begun(directory: Path, domain: str = "localhost", **more: object) -> Keeper:
    keeper = keeper_on(directory, domain, **more)  # type: ignore[arg-type]
    keeper.begin()
    return keeper


@asynccontextmanager
async def running(keeper: Keeper) -> AsyncIterator[None]:
    async with background() as tasks:
        tasks.start(keeper.run(), "keeper")
        tasks.start(keeper.announce(), "announce")
        yield


def files(directory: Path) -> dict[str, bytes]:
    return {str(file): file.read_bytes() for file in directory.rglob("*") if file.is_file()}


def test_the_first_start_makes_everything(tmp_path):
    issued = begun(tmp_path).issued
    assert issued.id == "*.services.localhost"
    assert issued.hosts == ("*.services.localhost",)
    assert issued.revision == 1
    assert len(issued.certificates) == 2
    assert (tmp_path / "ca/root.pem").read_text().startswith("-----BEGIN CERTIFICATE-----")


def test_only_certificates_are_readable_by_others_and_keys_are_sealed(tmp_path):
    begun(tmp_path)
    modes = {file.name: stat.S_IMODE(file.stat().st_mode) for file in tmp_path.rglob("*") if file.is_file()}
    assert modes == {
        "root.pem": 0o644,
        "root.key.sealed": 0o600,
        "issuing.pem": 0o644,
        "issuing.key.sealed": 0o600,
        "wildcard.json": 0o600,
    }
    assert not any(b"PRIVATE KEY" in content for content in files(tmp_path).values())


def test_a_restart_changes_nothing(tmp_path):
    first = begun(tmp_path).issued
    before = files(tmp_path)
    assert begun(tmp_path).issued == first
    assert files(tmp_path) == before


async def test_it_renews_at_two_thirds_of_the_life(tmp_path):
    clock, stream = ManualClock(), Stream()
    keeper = begun(tmp_path, clock=clock, stream=stream)
    first = keeper.issued
    async with running(keeper):
        await clock.advance(4 * DAY_S)
        assert keeper.issued.chain == first.chain
        await clock.advance(1 * DAY_S)
    assert keeper.issued.revision == first.revision + 1
    assert keeper.issued.not_after > first.not_after
    assert [type(event) for event in stream.events] == [CertIssued, CertIssued]
    assert [event.revision for event in stream.events] == [1, 2]
    assert keeper.issued.sealed_key != first.sealed_key


async def test_an_old_issuing_ca_is_renewed_under_the_same_root(tmp_path):
    begun(tmp_path)
    vault = Vault(tmp_path, Sealer(KEY))
    (root,), old = vault.roots(), vault.issuing()
    clock = ManualClock()
    await clock.advance(300 * DAY_S)
    keeper = begun(tmp_path, clock=clock)
    assert vault.roots() == [root]
    assert vault.issuing() != old
    assert issued_by(keeper.issued.certificates[1], root)


async def test_a_root_is_trusted_together_with_its_successor_long_before_that_one_signs(tmp_path):
    begun(tmp_path)
    vault, clock = Vault(tmp_path, Sealer(KEY)), ManualClock()
    (first,) = vault.roots()

    await clock.advance(6.7 * 365.3 * DAY_S)
    leaf = begun(tmp_path, clock=clock).issued.certificates
    held = vault.roots()
    assert held[0] == first
    assert len(held) == 2
    assert issued_by(leaf[1], first)

    await clock.advance(1.7 * 365.3 * DAY_S)
    leaf = begun(tmp_path, clock=clock).issued.certificates
    assert vault.roots() == [held[1], first]
    assert issued_by(leaf[1], held[1])
    assert not (tmp_path / "ca/root.key.sealed").exists()

    await clock.advance(1.7 * 365.3 * DAY_S)
    leaf = begun(tmp_path, clock=clock).issued.certificates
    assert vault.roots() == [held[1]]
    assert issued_by(leaf[1], held[1])
    assert begun(tmp_path, clock=clock).issued.certificates == leaf


async def test_after_years_in_a_drawer_a_root_that_is_over_is_followed_at_once(tmp_path):
    begun(tmp_path)
    clock = ManualClock()
    await clock.advance(11 * 365.3 * DAY_S)

    leaf = begun(tmp_path, clock=clock).issued.certificates

    (root,) = Vault(tmp_path, Sealer(KEY)).roots()
    assert root.not_valid_after_utc > clock.now()
    assert issued_by(leaf[1], root)


async def test_a_successor_that_is_not_for_the_domain_any_more_never_signs(tmp_path):
    begun(tmp_path, "example.com")
    clock = ManualClock()
    await clock.advance(6.7 * 365.3 * DAY_S)
    begun(tmp_path, "eu.example.com", clock=clock)
    vault = Vault(tmp_path, Sealer(KEY))
    assert [constrained_to(root, "example.com") for root in vault.roots()] == [True, False]

    begun(tmp_path, "example.com", clock=clock)

    assert [constrained_to(root, "example.com") for root in vault.roots()] == [True, True]


async def test_an_issued_certificate_is_announced_once_even_over_a_restart(tmp_path):
    clock, stream = ManualClock(), Stream()
    stream.there = False
    async with running(begun(tmp_path, clock=clock, stream=stream)):
        await clock.advance(60)
    stream.there = True
    for _ in range(2):
        async with running(begun(tmp_path, clock=clock, stream=stream)):
            await clock.advance(60)
    (event,) = stream.events
    assert isinstance(event, CertIssued)
    assert event.entity.hosts == ("*.services.localhost",)
    assert event.key == event.entity.id == "*.services.localhost"


async def test_a_renewal_that_fails_says_why_and_is_tried_again(tmp_path):
    clock, stream = ManualClock(), Stream()
    keeper = begun(tmp_path, clock=clock, stream=stream)
    shutil.move(tmp_path / "ca/issuing.key.sealed", tmp_path / "kept")
    async with running(keeper):
        await clock.advance(5 * DAY_S)
        failures = [event for event in stream.events if isinstance(event, CertRenewalFailed)]
        assert "issuing.key.sealed is missing" in failures[0].reason
        assert len(failures) < 300  # it backs off
        shutil.move(tmp_path / "kept", tmp_path / "ca/issuing.key.sealed")
        await clock.advance(3700)
    assert keeper.issued.revision == 2


def test_another_domain_below_the_root_gets_a_new_leaf_only(tmp_path):
    begun(tmp_path, "example.com")
    root = (tmp_path / "ca/root.pem").read_bytes()
    issued = begun(tmp_path, "eu.example.com").issued
    assert issued.hosts == ("*.services.eu.example.com",)
    assert issued.revision == 2
    assert (tmp_path / "ca/root.pem").read_bytes() == root


def test_a_domain_that_the_root_does_not_cover_gets_a_new_root_and_the_old_one_is_kept(tmp_path, caplog):
    begun(tmp_path, "localhost")
    old = (tmp_path / "ca/root.pem").read_bytes()
    begun(tmp_path, "example.com")
    (aside,) = tmp_path.glob("ca.before-*")
    assert (aside / "root.pem").read_bytes() == old
    (root,) = Vault(tmp_path, Sealer(KEY)).roots()
    assert constrained_to(root, "example.com")
    assert "the root CA does not cover the domain" in caplog.text


def test_under_another_sealing_key_it_refuses_and_touches_nothing(tmp_path):
    begun(tmp_path)
    before = files(tmp_path)
    for domain in ("localhost", "example.com"):
        with pytest.raises(Misconfigured, match=r"Put the sealing key back"):
            begun(tmp_path, domain, key=b"x" * 32)
    assert files(tmp_path) == before


def test_a_key_that_belongs_to_another_certificate_is_refused(tmp_path):
    begun(tmp_path / "a")
    begun(tmp_path / "b")
    shutil.copy(tmp_path / "a/ca/root.pem", tmp_path / "b/ca/root.pem")
    with pytest.raises(Misconfigured, match=r"is not the key of"):
        begun(tmp_path / "b")


def test_the_root_key_may_be_kept_elsewhere(tmp_path):
    first = begun(tmp_path).issued
    (tmp_path / "ca/root.key.sealed").unlink()
    assert begun(tmp_path).issued == first


async def test_without_the_root_key_it_serves_what_it_has_as_long_as_that_lasts(tmp_path):
    clock = ManualClock()
    await clock.advance(0)
    first = begun(tmp_path, clock=clock).issued
    (tmp_path / "ca/root.key.sealed").unlink()
    (tmp_path / "ca/issuing.pem").unlink()  # so that the root's key would be needed
    (tmp_path / "ca/issuing.key.sealed").unlink()
    await clock.advance(6 * DAY_S)
    assert begun(tmp_path, clock=clock).issued == first
    await clock.advance(2 * DAY_S)
    with pytest.raises(Misconfigured, match=r"root\.key\.sealed is missing and needed now"):
        begun(tmp_path, clock=clock)


def test_an_unreadable_certificate_file_is_made_anew(tmp_path):
    begun(tmp_path)
    (tmp_path / "certs/wildcard.json").write_text('{"id": 1')
    assert len(begun(tmp_path).issued.certificates) == 2


def test_a_broken_root_is_refused(tmp_path):
    begun(tmp_path)
    (tmp_path / "ca/root.pem").write_text("nonsense")
    with pytest.raises(Misconfigured, match=r"root\.pem is no certificate"):
        begun(tmp_path)


def test_a_directory_that_cannot_be_made_is_one_sentence(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(Misconfigured, match=r"cannot keep certificates"):
        begun(tmp_path / "file")


def test_what_a_crash_left_half_made_is_made_again(tmp_path):
    (tmp_path / "ca.new").mkdir()
    (tmp_path / "ca.new/root.key.sealed").write_text("half")
    begun(tmp_path)
    assert (tmp_path / "ca/root.pem").exists()
    assert not (tmp_path / "ca.new").exists()
