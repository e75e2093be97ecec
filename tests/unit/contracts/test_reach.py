"""Which addresses instances may be reached at."""

import pytest

from narthex.contracts.reach import Reach, parse_reach


@pytest.mark.parametrize(
    "address", ["127.0.0.1", "::1", "10.1.2.3", "192.168.1.1", "172.17.0.2", "100.64.0.1", "fd12::1", "8.8.8.8"]
)
def test_machines_of_any_network_may_be_instances(address: str) -> None:
    assert Reach().refusal(address, 9000) == ""


@pytest.mark.parametrize(
    ("address", "why"),
    [
        ("169.254.169.254", "a link-local address"),
        ("::ffff:169.254.169.254", "a link-local address"),
        ("2002:a9fe:a9fe::1", "a link-local address"),
        ("fe80::1%eth0", "a link-local address"),
        ("fd00:ec2::254", "a metadata service of a cloud"),
        ("100.100.100.200", "a metadata service of a cloud"),
        ("0.0.0.0", "an address of no machine"),
        ("::", "an address of no machine"),
        ("224.0.0.1", "a multicast address"),
    ],
)
def test_what_only_insiders_reach_is_refused(address: str, why: str) -> None:
    assert why in Reach().refusal(address, 80)


def test_an_installation_may_allow_a_network() -> None:
    reach = parse_reach("169.254.0.0/16", "")
    assert reach.refusal("169.254.1.1", 80) == ""
    assert reach.refusal("fe80::1", 80) != ""


def test_an_installations_own_ports_are_refused_and_their_neighbours_are_not() -> None:
    reach = parse_reach("127.0.0.0/8", "127.0.0.1:4222, [::1]:4222, 10.9.0.0/16")
    assert "belongs to this installation" in reach.refusal("127.0.0.1", 4222)
    assert "belongs to this installation" in reach.refusal("::ffff:127.0.0.1", 4222)
    assert "belongs to this installation" in reach.refusal("::1", 4222)
    assert "belongs to this installation" in reach.refusal("10.9.8.7", 1)
    assert reach.refusal("127.0.0.1", 4223) == ""
    assert reach.refusal("127.0.0.2", 4222) == ""


def test_a_server_on_all_addresses_is_behind_every_loopback_one() -> None:
    reach = parse_reach("", "0.0.0.0:8000")
    assert reach.refusal("127.0.5.1", 8000) != ""
    assert reach.refusal("127.0.5.1", 8001) == ""


def test_a_name_is_refused_only_by_what_it_resolves_to() -> None:
    assert Reach().refusal("metadata.google.internal", 80) == ""


def test_a_setting_that_cannot_be_read_is_an_error() -> None:
    with pytest.raises(ValueError):
        parse_reach("", "nats:4222")
