"""What is signed for a CA, and what its answers mean; and which certificate may be served."""

import base64
import json
from datetime import UTC, datetime, timedelta

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256

from narthex.testing.ca import ThrowAwayCA
from narthex_certs.acme.messages import Authorization, Challenge, Identifier, Order, Status
from narthex_certs.acme.problem import Problem, retry_after
from narthex_certs.acme.signing import AccountKey, Binding, renewal_id, unbase64url
from narthex_certs.certificate import unfit
from narthex_certs.order import Action, challenge_of, next_action, why_invalid
from narthex_certs.renewal import expiring, retry_s

NOW = datetime.now(UTC)


def read(text: str) -> dict:
    return json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))


def test_a_request_is_signed_with_the_accounts_key_for_one_address_and_one_nonce():
    key = ec.generate_private_key(ec.SECP256R1())
    body = AccountKey(key).sign({"a": 1}, "https://ca/x", "nonce", "https://ca/acct/1")
    assert read(body["protected"]) == {
        "alg": "ES256",
        "kid": "https://ca/acct/1",
        "nonce": "nonce",
        "url": "https://ca/x",
    }
    signature = unbase64url(body["signature"])
    r, s = int.from_bytes(signature[:32], "big"), int.from_bytes(signature[32:], "big")
    signed = f"{body['protected']}.{body['payload']}".encode()
    key.public_key().verify(encode_dss_signature(r, s), signed, ec.ECDSA(SHA256()))


def test_a_first_request_carries_the_key_and_post_as_get_an_empty_payload():
    body = AccountKey.generate().sign(None, "https://ca/x", "nonce", "")
    assert read(body["protected"])["jwk"]["crv"] == "P-256"
    assert body["payload"] == ""


def test_the_binding_to_an_external_account_is_a_mac_over_the_key():
    key = AccountKey.generate()
    body = key.bind(Binding("kid-1", "c2VjcmV0LXNlY3JldC1zZWNyZXQtc2VjcmV0LTEyMzQ1Ng"), "https://ca/new")
    assert read(body["protected"]) == {"alg": "HS256", "kid": "kid-1", "url": "https://ca/new"}
    assert read(body["payload"]) == key.jwk


def test_a_certificate_has_the_name_that_the_standard_gives_it():
    """The example of RFC 9773 section 4.1: serial 00:87:65:43:21 under a key identifier."""

    class Extensions:
        @staticmethod
        def get_extension_for_class(kind):
            class Value:
                value = type("A", (), {"key_identifier": bytes.fromhex("69885b6b8746404152373b91ca5c4e8d2f7ea8b4")})

            return Value

    certificate = type("C", (), {"extensions": Extensions, "serial_number": 0x87654321})
    assert renewal_id(certificate).endswith(".AIdlQyE")


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        (None, 0), ("120", 120), ("-5", 0), ("soon", 0), ("９", 0), ("9" * 30, 0),
        ("Thu, 01 Jan 2026 00:01:00 GMT", 60), ("Wed, 31 Dec 2025 00:00:00 GMT", 0),
    ],
)  # fmt: skip
def test_how_long_a_ca_asks_us_to_wait(header, seconds):
    assert retry_after(header, datetime(2026, 1, 1, tzinfo=UTC)) == seconds


@pytest.mark.parametrize(
    ("status", "action"),
    [
        ("pending", Action.PROVE), ("ready", Action.FINALIZE), ("processing", Action.WAIT),
        ("valid", Action.DOWNLOAD), ("invalid", Action.GIVE_UP), ("revoked", Action.GIVE_UP),
    ],
)  # fmt: skip
def test_the_cas_state_of_an_order_says_what_comes_next(status, action):
    assert next_action(Order(status=status)) is action


def test_a_challenge_that_the_ca_does_not_offer_is_named_with_those_it_does():
    authorization = Authorization(
        identifier=Identifier(value="a.test"), status=Status.PENDING, challenges=(Challenge(type="dns-01", url="u"),)
    )
    with pytest.raises(Problem, match=r"does not offer http-01 for a\.test, but dns-01"):
        challenge_of(authorization, "http-01")


def test_why_an_order_came_to_nothing_is_said_by_its_challenges():
    error = {"type": "urn:ietf:params:acme:error:dns", "detail": "NXDOMAIN"}
    failed = Challenge(type="http-01", url="u", status=Status.INVALID, error=error)
    authorization = Authorization(identifier=Identifier(value="a.test"), status=Status.INVALID, challenges=(failed,))
    problem = why_invalid(Order(status=Status.INVALID), [authorization])
    assert (problem.kind, problem.document["identifier"]["value"]) == ("dns", "a.test")
    assert "NXDOMAIN" in problem.message


@pytest.mark.parametrize(
    ("hosts", "other_key", "later", "reason"),
    [
        (("a.test",), False, timedelta(0), ""),
        (("a.test", "b.test"), False, timedelta(0), "does not name b.test"),
        (("a.test",), True, timedelta(0), "another key"),
        (("a.test",), False, timedelta(days=2), "over"),
        (("a.test",), False, timedelta(hours=-2), ""),
        (("a.test",), False, timedelta(days=-3), "later than tomorrow"),
    ],
)
def test_a_certificate_that_does_not_fit_is_not_served(hosts, other_key, later, reason):
    ca = ThrowAwayCA()
    issued = ca.issue("a.test")
    key = ca.issue("a.test").key if other_key else issued.key
    found = unfit(issued.chain, hosts, key, NOW + later)
    assert reason in found
    assert bool(found) == bool(reason)


@pytest.mark.parametrize(
    ("life", "left", "days"),
    [(90, 20, 0), (90, 14, 14), (90, 6.5, 7), (90, 0.5, 1), (7, 2, 0), (7, 0.9, 1), (30, 7, 7), (30, 9.9, 0)],
)
def test_the_end_is_told_in_steps_that_a_certificate_of_its_life_should_not_reach(life, left, days):
    begin = NOW - timedelta(days=life - left)
    assert expiring(begin, NOW + timedelta(days=left), NOW) == days


def test_a_failure_is_tried_again_after_twice_as_long_up_to_a_day_and_never_before_the_ca_said():
    assert [retry_s(n, 0.0, 60.0) for n in (1, 2, 3, 40)] == [60, 120, 240, 86_400]
    assert retry_s(1, 0.0, 60.0, 3600.0) == 3600
