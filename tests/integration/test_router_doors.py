"""The ways into a service besides tokens, over real sockets: what passes, what is answered, what the instance sees."""

import hmac
import json
import re
import time
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import parse_qs, urlsplit

import jwt
import pytest
from argon2 import PasswordHasher
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from integration.doors_kit import (
    BROWSER,
    HELLO,
    HOST,
    PAGE,
    PASS_KEY,
    PEOPLE,
    ask,
    basic,
    code,
    cookie,
    field,
    passing,
    protected,
    session,
)
from integration.router_kit import Client, Router, entry, router, service_entries

from narthex.contracts.digest import password_digest
from narthex.contracts.passes import PassKind
from narthex.routing import Kind
from narthex.runtime.sealing import session_key
from narthex.testing.backend import Backend, Conversation, answer, backend
from narthex_router.doors.keys import KeySets
from narthex_router.doors.policy import networks
from narthex_router.doors.session import browser_digest

# -- names and passwords --------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def kept() -> str:
    return PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1).hash(
        password_digest(PASS_KEY, b"correct horse")
    )


async def test_a_name_with_its_password_gets_in_and_others_are_told_to_send_one(kept: str) -> None:
    async with protected(basic_users={"ann": kept}) as (under_test, instance):
        client = await under_test.connect()
        status, head, body = await ask(client)
        assert (status, code(body)) == (401, "token_missing")
        assert b"www-authenticate: Basic " in head
        for wrong in ("ann:wrong", "bob:correct horse", "ann:", "no colon"):
            status, _, body = await ask(client, basic(wrong))
            assert (status, code(body)) == (401, "token_invalid")
        for _ in range(2):
            assert (await ask(client, basic("ann:correct horse")))[0] == 200
        assert b"x-narthex-user: ann\r\n" in instance.requests[0]
        assert b"uthorization" not in b"".join(instance.requests)
        assert len({record["token_id"] for record in under_test.journal() if record["status"] == 200}) == 1


async def test_a_password_is_worked_out_once_and_not_again_for_each_request(kept: str) -> None:
    async with protected(basic_users={"ann": kept}) as (under_test, _):
        for _ in range(3):
            client = await under_test.connect()
            assert (await ask(client, basic("ann:correct horse")))[0] == 200
        assert len(under_test.plane.porter._right) == 1
        assert not under_test.plane.porter._waiting


async def test_a_request_with_a_body_waits_for_its_password_and_arrives_whole(kept: str) -> None:
    received = bytearray()

    async def upload(conversation: Conversation) -> None:
        while await conversation.head():
            received.extend(await conversation.reader.readexactly(3000))
            await conversation.send(HELLO)

    async with protected(basic_users={"ann": kept}, script=upload) as (under_test, _):
        client = await under_test.connect()
        head = f"POST /a HTTP/1.1\r\nHost: {HOST}\r\n{basic('ann:correct horse')}Content-Length: 3000\r\n\r\n"
        await client.send(head.encode() + b"x" * 1000)
        await client.send(b"y" * 2000)
        assert (await client.answer())[0] == 200
        assert received == b"x" * 1000 + b"y" * 2000


async def test_a_name_that_is_taken_off_the_list_is_refused_on_the_same_connection(kept: str) -> None:
    async with protected(basic_users={"ann": kept}) as (under_test, instance):
        client = await under_test.connect()
        assert (await ask(client, basic("ann:correct horse")))[0] == 200
        changed = service_entries([instance.port], public=False, doors={"basic_users": {"eve": kept}})[1]
        under_test.plane.table.apply([changed._replace(revision=2)])
        assert code((await ask(client, basic("ann:correct horse")))[2]) == "token_invalid"


async def test_wrong_credentials_by_the_thousand_leave_a_bounded_trace() -> None:
    async with protected(basic_users={"ann": "$argon2id$nonsense"}) as (under_test, _):
        porter = under_test.plane.porter
        client = await under_test.connect()
        batch = "".join(
            f"GET / HTTP/1.1\r\nHost: {HOST}\r\n{basic(f'eve{number}')}\r\n" for number in range(1500)
        )  # without a colon: refused before any work
        await client.send(batch.encode())
        for _ in range(1500):
            assert (await client.answer())[0] == 401
        assert len(porter._wrong) == 1000
        assert not porter._right
        assert not porter._asking


# -- JSON Web Tokens ------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def key() -> RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


class Issuer:
    """An OpenID Connect provider's two documents, and what it signs."""

    def __init__(self, key: RSAPrivateKey) -> None:
        self.keys: dict[str, Any] = {"one": key}
        self.url = ""
        self.asked = 0
        self.more: dict[str, str] = {}  # of each key

    async def script(self, conversation: Conversation) -> None:
        while head := await conversation.head():
            if head.startswith(b"GET /.well-known/openid-configuration "):
                document: Any = {"issuer": self.url, "jwks_uri": f"{self.url}/keys"}
            else:
                self.asked += 1
                document = {"keys": [self._public(kid, key) for kid, key in self.keys.items()]}
            body = json.dumps(document).encode()
            await conversation.send(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body))

    def _public(self, kid: str, key: Any) -> dict[str, Any]:
        kind = jwt.algorithms.RSAAlgorithm if isinstance(key, RSAPrivateKey) else jwt.algorithms.ECAlgorithm
        return {**kind.to_jwk(key.public_key(), as_dict=True), "kid": kid, "use": "sig", **self.more}

    def signed_with_the_public_key(self) -> str:
        """As if it were a shared secret; no library does this any more."""
        header, payload, _ = self.token().removeprefix("Authorization: Bearer ").split(".")
        header = urlsafe_b64encode(b'{"alg":"HS256","kid":"one"}').decode()
        public = self.keys["one"].public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
        signature = hmac.digest(public, f"{header}.{payload}".encode(), "sha256")
        return f"Authorization: Bearer {header}.{payload}.{urlsafe_b64encode(signature).decode().rstrip('=')}\r\n"

    def token(self, kid: str = "one", algorithm: str = "RS256", key: Any = None, **claims: Any) -> str:
        said = {"iss": self.url, "aud": "svc", "sub": "ann", "exp": time.time() + 600, **claims}
        said = {name: value for name, value in said.items() if value is not None}
        text = jwt.encode(said, key if key is not None else self.keys[kid], algorithm, headers={"kid": kid})
        return f"Authorization: Bearer {text}\r\n"


@asynccontextmanager
async def trusting(
    issuer: Issuer, calling: Sequence[str] = (), **more: Any
) -> AsyncIterator[tuple[Router, Backend, Client]]:
    async with backend(issuer.script) as provider:
        issuer.url = f"http://127.0.0.1:{provider.port}"
        doors = {"jwt": {"issuer": issuer.url, "audience": "svc", **more}, "calling_roles": list(calling)}
        async with protected(**doors) as (under_test, instance):
            yield under_test, instance, await under_test.connect()


async def test_a_jwt_of_the_issuer_gets_in_under_the_name_it_says(key: RSAPrivateKey) -> None:
    issuer = Issuer(key)
    async with trusting(issuer, user_claim="email") as (under_test, instance, client):
        for _ in range(3):
            assert (await ask(client, issuer.token(email="ann@corp.test")))[0] == 200
        assert b"x-narthex-user: ann@corp.test\r\n" in instance.requests[0]
        assert b"uthorization" not in b"".join(instance.requests)
        assert issuer.asked == 1
        assert len({record["token_id"] for record in under_test.journal()}) == 1
        assert (await ask(client, "Authorization: Token good\r\n"))[0] == 200  # tokens go on


async def test_a_jwt_that_is_not_meant_for_the_service_is_refused(key: RSAPrivateKey) -> None:
    issuer = Issuer(key)
    stranger = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    async with trusting(issuer, required_claims={"realm.roles": ["caller"]}) as (_, instance, client):
        roles = {"realm": {"roles": ["caller", "reader"]}}
        for wrong, expected in (
            (issuer.token(aud="other", **roles), "token_invalid"),
            (issuer.token(iss="https://elsewhere.test", **roles), "token_invalid"),
            (issuer.token(exp=time.time() - 120, **roles), "token_expired"),
            (issuer.token(nbf=time.time() + 600, **roles), "token_invalid"),
            (issuer.token(exp=None, **roles), "token_invalid"),
            (issuer.token(aud=None, **roles), "token_invalid"),
            (issuer.token(sub=None, **roles), "token_invalid"),
            (issuer.token(key=stranger, **roles), "token_invalid"),
            (issuer.token(realm={"roles": ["reader"]}), "permission_denied"),
            (issuer.token(), "permission_denied"),
            ("Authorization: Bearer a.b.c\r\n", "token_invalid"),
        ):
            _, _, body = await ask(client, wrong)
            assert code(body) == expected, json.loads(body)["detail"]
        assert instance.requests == []
        assert (await ask(client, issuer.token(exp=time.time() - 30, **roles)))[0] == 200  # clocks differ


async def test_claims_stand_for_roles_that_decide_who_may_call_and_that_the_application_hears_of(
    key: RSAPrivateKey,
) -> None:
    issuer = Issuer(key)
    roles = [
        {"role": "caller", "claim": "realm.roles", "values": ["user", "admin"]},
        {"role": "boss", "claim": "realm.roles", "values": ["admin"]},
        {"role": "guest", "claim": "scope", "values": ["read"]},
    ]
    async with trusting(issuer, calling=["caller"], roles=roles) as (under_test, instance, client):
        for claims, told in (
            ({"realm": {"roles": ["user"]}}, b"caller"),
            ({"realm": {"roles": ["other", "admin"]}, "scope": "openid read"}, b"boss, caller, guest"),
        ):
            forged = f"X-Narthex-Roles: root\r\n{issuer.token(**claims)}"
            assert (await ask(client, forged))[0] == 200
            assert re.findall(rb"x-narthex-roles: ([^\r]*)", instance.requests[-1].lower()) == [told]
        assert code((await ask(client, issuer.token(scope="read")))[2]) == "permission_denied"
        assert code((await ask(client, issuer.token()))[2]) == "permission_denied"
        assert (await ask(client, "Authorization: Token good\r\n"))[0] == 200
        assert b"x-narthex-roles" not in instance.requests[-1]

        admin = issuer.token(realm={"roles": ["user"]})
        assert (await ask(client, admin))[0] == 200
        jwt_door = {"issuer": issuer.url, "audience": "svc", "roles": roles}
        doors = {"jwt": jwt_door, "calling_roles": ["boss"]}
        under_test.plane.table.apply(
            [service_entries([instance.port], public=False, doors=doors)[1]._replace(revision=2)]
        )
        assert code((await ask(client, admin))[2]) == "permission_denied"  # the role permits it no more


async def test_a_jwt_counts_only_when_its_algorithm_is_one_that_the_key_is_for(key: RSAPrivateKey) -> None:
    issuer = Issuer(key)
    async with trusting(issuer) as (_, instance, client):
        curve = Issuer(ec.generate_private_key(ec.SECP256R1()))
        curve.url = issuer.url
        for wrong in (
            issuer.token(algorithm="none", key=""),
            issuer.signed_with_the_public_key(),
            curve.token(algorithm="ES256"),
        ):
            assert code((await ask(client, wrong))[2]) == "token_invalid"
        assert instance.requests == []
        assert (await ask(client, issuer.token(algorithm="PS256")))[0] == 200  # an RSA key, too


async def test_a_key_that_names_its_algorithm_is_good_for_no_other(key: RSAPrivateKey) -> None:
    issuer = Issuer(key)
    issuer.more = {"alg": "RS256"}
    async with trusting(issuer) as (_, _instance, client):
        assert code((await ask(client, issuer.token(algorithm="PS256")))[2]) == "token_invalid"
        assert (await ask(client, issuer.token()))[0] == 200


async def test_a_new_key_of_the_issuer_is_fetched_when_it_is_first_seen_and_unknown_ones_rarely(
    key: RSAPrivateKey,
) -> None:
    issuer = Issuer(key)
    async with trusting(issuer) as (under_test, _, client):
        assert (await ask(client, issuer.token()))[0] == 200
        issuer.keys["two"] = ec.generate_private_key(ec.SECP256R1())
        held = next(iter(under_test.plane.porter._keys._sets.values()))
        held.tried -= 60  # a minute later
        assert (await ask(client, issuer.token("two", "ES256")))[0] == 200
        for number in range(5):
            unknown = issuer.token(f"unknown-{number}", key=key)
            assert code((await ask(client, unknown))[2]) == "token_invalid"
        assert issuer.asked == 2


async def test_an_issuer_that_cannot_be_asked_makes_access_unknown_and_known_callers_go_on(key: RSAPrivateKey) -> None:
    issuer = Issuer(key)
    async with trusting(issuer) as (under_test, instance, client):
        known = issuer.token()
        assert (await ask(client, known))[0] == 200
        away = {"issuer": "http://127.0.0.1:1", "audience": "svc"}
        changed = service_entries([instance.port], public=False, doors={"jwt": away})[1]
        under_test.plane.table.apply([changed._replace(revision=2)])
        status, _, body = await ask(client, issuer.token())
        assert (status, code(body)) == (503, "access_unknown")


async def test_an_issuer_inside_the_installations_networks_is_not_asked_unless_they_are_named(
    key: RSAPrivateKey,
) -> None:
    issuer = Issuer(key)
    async with trusting(issuer) as (under_test, _, client):
        under_test.plane.porter._keys = KeySets(under_test.plane.tasks)
        status, _, body = await ask(client, issuer.token())
        assert (status, code(body)) == (503, "access_unknown")
        assert issuer.asked == 0


# -- pages of other origins -----------------------------------------------------------------------------------------

CORS = {"origins": ["https://app.test"], "headers": ["authorization"], "exposed": ["x-count"], "max_age": 60}


async def test_a_preflight_is_answered_without_a_credential_and_does_not_reach_the_instance() -> None:
    async with protected(cors=CORS) as (under_test, instance):
        client = await under_test.connect()
        asks = "Access-Control-Request-Method: POST\r\nAccess-Control-Request-Headers: authorization\r\n"
        status, head, _ = await ask(client, f"Origin: https://app.test\r\n{asks}", method="OPTIONS")
        assert status == 204
        assert field(head, "access-control-allow-origin") == "https://app.test"
        assert "POST" in field(head, "access-control-allow-methods")
        assert field(head, "access-control-allow-headers") == "authorization"
        assert field(head, "access-control-max-age") == "60"
        status, head, _ = await ask(client, f"Origin: https://evil.test\r\n{asks}", method="OPTIONS")
        assert (status, field(head, "access-control-allow-origin")) == (204, "")
        assert instance.requests == []


async def test_answers_say_what_the_page_may_read_in_place_of_what_the_instance_says() -> None:
    async with protected(cors=CORS) as (under_test, _):
        client = await under_test.connect()
        for fields, status in (("Authorization: Token good\r\n", 200), ("", 401)):
            answered, head, _ = await ask(client, f"Origin: https://app.test\r\n{fields}")
            assert answered == status
            assert head.lower().count(b"access-control-allow-origin") == 1
            assert field(head, "access-control-allow-origin") == "https://app.test"
            assert field(head, "access-control-expose-headers") == "x-count"
            assert field(head, "vary") == "Origin"
        for origin in ("Origin: https://evil.test\r\n", ""):
            _, head, _ = await ask(client, f"{origin}Authorization: Token good\r\n")
            assert b"access-control" not in head.lower()
            assert field(head, "vary") == "Origin"


async def test_a_service_without_cors_leaves_it_to_its_application() -> None:
    async with protected() as (under_test, instance):
        client = await under_test.connect()
        _, head, _ = await ask(client, "Authorization: Token good\r\nOrigin: https://app.test\r\n", method="OPTIONS")
        assert field(head, "access-control-allow-origin") == "*"
        assert instance.requests[0].startswith(b"OPTIONS ")


# -- browsers -------------------------------------------------------------------------------------------------------


async def test_a_browser_signs_in_and_comes_back_with_a_cookie_that_the_application_does_not_see() -> None:
    async with protected(browser_sign_in=True) as (under_test, instance):
        client = await under_test.connect()
        status, head, _ = await ask(client, BROWSER, target="/docs?page=2")
        assert status == 303
        location = urlsplit(field(head, "location"))
        assert f"{location.scheme}://{location.netloc}{location.path}" == PAGE
        secret = cookie(head, "__Host-narthex-journey")
        assert b"Path=/; Secure; HttpOnly; SameSite=Lax" in head
        begun = json.loads(_decoded(parse_qs(location.query)["journey"][0]))
        assert (begun["host"], begun["target"]) == (HOST, "/docs?page=2")

        back = passing(PassKind.CODE, subject_id="ann", browser=begun["browser"], target=begun["target"])
        status, head, _ = await ask(client, f"Cookie: {secret}\r\n{BROWSER}", target=f"/.narthex/sign-in?code={back}")
        assert (status, field(head, "location")) == (303, "/docs?page=2")
        held = cookie(head, "__Host-narthex")

        status, _, _ = await ask(client, f"Cookie: theme=dark; {held}\r\n{BROWSER}")
        assert status == 200
        [seen] = instance.requests
        assert b"x-narthex-user: ann@example.test\r\n" in seen
        assert b"theme=dark" in seen
        assert b"__Host-narthex" not in seen
        records = under_test.journal()
        assert [record.get("code", "") for record in records] == ["sign_in", "sign_in", ""]
        assert back not in json.dumps(records)
        assert records[-1]["subject_id"] == "ann"


def _decoded(text: str) -> bytes:
    payload = text.partition(".")[0]
    return urlsafe_b64decode(payload + "=" * (-len(payload) % 4))


async def test_a_code_is_worth_nothing_in_another_browser_at_another_service_or_twice_changed() -> None:
    secret = "0123456789abcdef" * 2
    good = {"subject_id": "ann", "browser": browser_digest(secret.encode()), "target": "/"}
    async with protected(browser_sign_in=True) as (under_test, _):
        client = await under_test.connect()

        async def comes(text: str, held: str = secret) -> int:
            fields = f"Cookie: __Host-narthex-journey={held}\r\n"
            return (await ask(client, fields, target=f"/.narthex/sign-in?code={text}"))[0]

        assert await comes(passing(PassKind.CODE, **good)) == 303
        assert await comes(passing(PassKind.CODE, **good), held="f" * 32) == 401
        assert await comes(passing(PassKind.CODE, **good), held="") == 401
        assert await comes(passing(PassKind.CODE, **{**good, "service_id": "other"})) == 401
        assert await comes(passing(PassKind.CODE, **{**good, "expires": int(time.time()) - 1})) == 401
        assert await comes(passing(PassKind.SESSION, **good)) == 401
        assert await comes(passing(PassKind.JOURNEY, **good)) == 401
        assert await comes("nonsense") == 401


@pytest.mark.parametrize("target", ["//evil.test/", "/\\evil.test", "https://evil.test/", "", "/a\r\nx: y"])
async def test_a_browser_goes_on_to_nowhere_but_the_service(target: str) -> None:
    async with protected() as (under_test, _):
        client = await under_test.connect()
        link = passing(PassKind.SHARE, share_id="s1", target=target)
        status, head, _ = await ask(client, target=f"/.narthex/share?ticket={link}")
        assert (status, field(head, "location")) == (303, "/")


async def test_only_a_browser_that_opens_a_page_is_sent_to_sign_in() -> None:
    async with protected(browser_sign_in=True) as (under_test, _):
        client = await under_test.connect()
        assert (await ask(client, "Accept: text/html\r\n"))[0] == 303
        assert (await ask(client, "Accept: application/json\r\n"))[0] == 401
        assert (await ask(client, "Accept: text/html\r\nSec-Fetch-Mode: cors\r\n"))[0] == 401
        assert (await ask(client, f"{BROWSER}Authorization: Token wrong\r\n"))[0] == 401
        assert (await ask(client, f"{BROWSER}Content-Length: 0\r\n", method="POST"))[0] == 401
        assert (await ask(client, f"{BROWSER}{session(expires=1)}"))[0] == 303
    async with protected() as (under_test, _):
        assert (await ask(await under_test.connect(), BROWSER))[0] == 401


async def test_a_session_is_good_for_its_service_and_its_subject_only_while_they_may_call() -> None:
    async with protected() as (under_test, _):
        client = await under_test.connect()

        async def refused(fields: str) -> str:
            status, _, body = await ask(client, fields)
            return code(body) if status != 200 else ""

        assert await refused(session()) == ""
        assert await refused(session(service_id="other")) == "token_expired"
        assert await refused(session(subject_id="bob")) == "permission_denied"
        assert await refused(session(subject_id="nobody")) == "token_expired"
        assert await refused(session(expires=int(time.time()) - 1)) == "token_expired"
        assert await refused(session()[:-10] + "\r\n") == "token_expired"
        assert await refused(session(token_id="t")) == ""
        table = under_test.plane.table
        table.apply([PEOPLE[0]._replace(revision=2, payload=None)])
        assert await refused(session(token_id="t")) == "token_expired"
        assert await refused(session()) == ""
        table.apply([entry(Kind.ACCESS, "ann", 2, services=["svc"], browsers_from="2999-01-01T00:00:00Z")])
        assert await refused(session()) == "token_expired"
        table.apply([entry(Kind.ACCESS, "ann", 3)])
        assert await refused(session()) == "permission_denied"


async def test_what_changes_something_is_done_for_the_services_own_pages_only() -> None:
    async with protected() as (under_test, _):
        client = await under_test.connect()

        async def posts(fields: str, method: str = "POST") -> tuple[int, str]:
            status, _, body = await ask(client, f"{session()}{fields}Content-Length: 0\r\n", method=method)
            return status, code(body) if status != 200 else ""

        assert await posts(f"Origin: https://{HOST}\r\n") == (200, "")
        assert await posts("Sec-Fetch-Site: same-origin\r\n") == (200, "")
        for elsewhere in ("https://other.services.test", "null", f"http://{HOST}", f"https://{HOST}:444"):
            assert await posts(f"Origin: {elsewhere}\r\n") == (403, "cross_origin")
        assert await posts("") == (403, "cross_origin")
        assert await posts("Sec-Fetch-Site: same-site\r\n", "DELETE") == (403, "cross_origin")
        assert (await ask(client, session(), method="GET"))[0] == 200


async def test_a_websocket_by_cookie_is_opened_by_the_services_own_pages_only() -> None:
    upgrade = (
        "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
    )
    agreed = (
        b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
        b"Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n"
    )
    async with protected(script=answer(agreed)) as (under_test, instance):
        client = await under_test.connect()
        status, _, body = await ask(client, f"{session()}{upgrade}Origin: https://other.services.test\r\n")
        assert (status, code(body)) == (403, "cross_origin")
        client = await under_test.connect()
        await client.send(
            f"GET /ws HTTP/1.1\r\nHost: {HOST}\r\n{session()}{upgrade}Origin: https://{HOST}\r\n\r\n".encode()
        )
        assert (await client.head()).startswith(b"HTTP/1.1 101 ")
        assert b"__Host-narthex" not in instance.requests[0]


async def test_signing_out_takes_the_cookie_away_and_is_not_for_other_pages() -> None:
    async with protected(browser_sign_in=True) as (under_test, instance):
        client = await under_test.connect()
        status, head, body = await ask(client, f"{BROWSER}{session()}", target="/.narthex/sign-out")
        assert status == 200
        assert b"set-cookie: __Host-narthex=; Max-Age=0;" in head
        assert b"signed out" in body
        status, _, body = await ask(client, f"{session()}Sec-Fetch-Mode: no-cors\r\n", target="/.narthex/sign-out")
        assert (status, code(body)) == (403, "cross_origin")
        assert instance.requests == []


async def test_a_share_link_lets_in_until_it_expires_or_the_links_are_withdrawn() -> None:
    async with protected() as (under_test, instance):
        client = await under_test.connect()
        link = passing(PassKind.SHARE, share_id="s1", target="/demo")
        status, head, _ = await ask(client, BROWSER, target=f"/.narthex/share?ticket={link}")
        assert (status, field(head, "location")) == (303, "/demo")
        held = f"Cookie: {cookie(head, '__Host-narthex')}\r\n"
        assert (await ask(client, held))[0] == 200
        assert b"x-narthex-user: share link\r\n" in instance.requests[0]
        late = passing(PassKind.SHARE, share_id="s1", expires=int(time.time()) - 1)
        assert (await ask(client, target=f"/.narthex/share?ticket={late}"))[0] == 401
        other = passing(PassKind.SHARE, share_id="s1", service_id="other")
        assert (await ask(client, target=f"/.narthex/share?ticket={other}"))[0] == 401
        changed = service_entries([instance.port], public=False, doors={"share_generation": 1})[1]
        under_test.plane.table.apply([changed._replace(revision=2)])
        assert code((await ask(client, held))[2]) == "token_expired"
        assert code((await ask(client, target=f"/.narthex/share?ticket={link}"))[2]) == "token_expired"
        assert link not in json.dumps(under_test.journal())


# -- what is taken out, and what is not listened to -------------------------------------------------------------------


async def test_cookies_for_a_whole_domain_become_cookies_of_the_service() -> None:
    sets = (
        b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nSet-Cookie: a=1; Domain=services.test; Path=/\r\n"
        b"Set-Cookie: b=2; Path=/\r\nset-cookie: c=domain; dOmAiN=.test\r\n\r\nhello"
    )
    async with backend(answer(sets)) as instance, router(service_entries([instance.port])) as under_test:
        client = await under_test.connect()
        for _ in range(2):
            status, head, body = await ask(client)
            assert (status, body) == (200, b"hello")
            assert re.findall(rb"(?i)set-cookie: ([^\r]*)", head) == [b"a=1; Path=/", b"b=2; Path=/", b"c=domain"]


@pytest.mark.parametrize(
    ("fields", "status"),
    [
        ("authorization: Token good\r\nAuthorization: Token good\r\n", 400),
        ("Authorization: Token good\r\nAuthorization: Token other\r\n", 400),
        ("aUTHORIZATION: tOKEN good\r\n", 200),
        ("Proxy-Authorization: Token good\r\n", 401),
        ("Connection: authorization\r\nAuthorization: Token good\r\n", 200),
        ("X-Narthex-User: root\r\nX-Narthex-Service: other\r\nAuthorization: Token good\r\n", 200),
    ],
)
async def test_a_credential_has_one_place_and_one_meaning(fields: str, status: int) -> None:
    async with protected() as (under_test, instance):
        client = await under_test.connect()
        assert (await ask(client, fields))[0] == status
        for seen in instance.requests:
            assert seen.lower().count(b"x-narthex-user") == 1
            assert b"x-narthex-user: ann@example.test\r\n" in seen
            assert b"x-narthex-project: p\r\nx-narthex-service: svc\r\n" in seen
            assert b"root" not in seen
            assert b"good" not in seen


async def test_a_trusted_proxy_says_who_the_client_is_and_nobody_else_can() -> None:
    said = "X-Forwarded-For: 6.6.6.6, 198.51.100.7\r\nX-Forwarded-Proto: https\r\n"
    async with protected(ip_allow=["198.51.100.0/24"]) as (under_test, instance):
        client = await under_test.connect()
        assert code((await ask(client, f"{said}Authorization: Token good\r\n"))[2]) == "address_denied"
        under_test.plane.trusted = networks(("127.0.0.0/8",))
        client = await under_test.connect()
        assert (await ask(client, f"{said}Authorization: Token good\r\n"))[0] == 200
        [seen] = instance.requests
        assert b"x-forwarded-for: 198.51.100.7\r\nx-forwarded-proto: https\r\n" in seen
        assert b"6.6.6.6" not in seen
        assert under_test.journal()[-1]["client"] == "198.51.100.7"


async def test_the_web_apps_cookie_and_a_session_of_the_api_let_nobody_into_a_service() -> None:
    claims = {"iss": "narthex", "sub": "ann", "jti": "session", "exp": time.time() + 60}
    text = jwt.encode(claims, session_key(bytes(32)), algorithm="HS256")
    async with protected() as (under_test, instance):
        client = await under_test.connect()
        for name in ("__Host-narthex-app", "narthex-app", "__Host-narthex"):
            assert (await ask(client, f"Cookie: {name}={text}\r\n"))[0] == 401, name
        for scheme in ("Bearer", "Token"):
            assert (await ask(client, f"Authorization: {scheme} {text}\r\n"))[0] == 401
        assert not instance.requests


async def test_a_credential_in_the_trailers_or_the_query_is_none() -> None:
    async with protected() as (under_test, instance):
        client = await under_test.connect()
        chunked = "Transfer-Encoding: chunked\r\nTrailer: Authorization\r\n"
        await client.send(
            f"POST /a HTTP/1.1\r\nHost: {HOST}\r\n{chunked}\r\n0\r\nAuthorization: Token good\r\n\r\n".encode()
        )
        assert (await client.answer())[0] in (400, 401)
        client = await under_test.connect()
        assert (await ask(client, target="/a?token=good&authorization=Token+good"))[0] == 401
        assert instance.requests == []
