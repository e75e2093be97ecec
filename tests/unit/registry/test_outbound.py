"""Where webhooks may go."""

import pytest

from narthex.contracts.errors import Invalid
from narthex_registry.outbound import allowed, check_url
from narthex_registry.sources import parse_networks


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1", "10.1.2.3", "192.168.0.1", "172.16.0.1", "169.254.169.254", "100.64.0.1", "0.0.0.0",
        "224.0.0.1", "255.255.255.255", "::1", "::", "fd00:ec2::254", "fe80::1", "::ffff:127.0.0.1",
        "::ffff:169.254.169.254", "2002:7f00:1::", "ff02::1", "nonsense",
    ],
)  # fmt: skip
def test_internal_addresses_are_not_called(address: str) -> None:
    assert not allowed(address, ())


@pytest.mark.parametrize("address", ["1.1.1.1", "2606:4700:4700::1111", "::ffff:1.1.1.1"])
def test_addresses_on_the_internet_are_called(address: str) -> None:
    assert allowed(address, ())


def test_an_installation_can_allow_networks_of_its_own() -> None:
    networks = parse_networks("10.0.0.0/8, ::1/128")
    assert allowed("10.1.2.3", networks)
    assert allowed("::1", networks)
    assert not allowed("192.168.0.1", networks)


@pytest.mark.parametrize(
    "url",
    [
        "ftp://example.com", "no url", "//example.com", "http://", "http://127.0.0.1/", "http://[::1]/",
        "http://localhost/", "http://x.localhost/", "http://user:secret@example.com/", "http://example.com:99999/",
        "http://exam ple.com/", "http://metadata.google.internal/", "http://printer.local/", "http://[::ffff:7f00:1]/",
        "http://example.com/\r\nx: y",
    ],
)  # fmt: skip
def test_what_is_no_address_to_call_is_refused(url: str) -> None:
    with pytest.raises(Invalid, match=r"^url: "):
        check_url(url, ())


def test_a_name_is_looked_at_when_it_is_resolved() -> None:
    check_url("https://example.com:8443/hook?x=1", ())
