"""Where a request comes from, and what of it can be believed."""

import pytest

from narthex_registry.sources import parse_networks, source

PROXIES = parse_networks("10.0.0.0/8, ::1")


@pytest.mark.parametrize(
    ("peer", "forwarded", "trusted", "expected"),
    [
        ("192.0.2.1", "", "", "192.0.2.1"),
        ("192.0.2.1", "198.51.100.7", "", "192.0.2.1"),  # nobody is believed
        ("10.1.2.3", "198.51.100.7", "10.0.0.0/8", "198.51.100.7"),
        ("192.0.2.1", "198.51.100.7", "10.0.0.0/8", "192.0.2.1"),  # this one is no proxy of ours
        ("10.1.2.3", "1.1.1.1, 198.51.100.7", "10.0.0.0/8", "198.51.100.7"),  # the first was sent by the client
        ("10.1.2.3", "198.51.100.7, 10.9.9.9", "10.0.0.0/8", "198.51.100.7"),
        ("10.1.2.3", "", "10.0.0.0/8", "10.1.2.3"),
        ("10.1.2.3", "nonsense", "10.0.0.0/8", "unknown"),
        ("::1", "2001:db8:1:2:3:4:5:6", "::1", "2001:db8:1:2::/64"),
        ("::ffff:192.0.2.1", "", "", "192.0.2.1"),
        ("", "", "", "unknown"),
    ],
)
def test_the_last_address_that_is_no_proxy_of_ours_counts(
    peer: str, forwarded: str, trusted: str, expected: str
) -> None:
    assert source(peer, forwarded, parse_networks(trusted)) == expected


def test_addresses_of_one_ipv6_household_are_one_source() -> None:
    assert source("2001:db8::1", "", PROXIES) == source("2001:db8::ffff", "", PROXIES)
    assert source("2001:db8::1", "", PROXIES) != source("2001:db8:0:1::1", "", PROXIES)


def test_what_is_no_network_is_refused() -> None:
    with pytest.raises(ValueError):
        parse_networks("10.0.0.0/8, nonsense")
