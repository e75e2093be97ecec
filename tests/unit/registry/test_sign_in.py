"""Passwords and sessions."""

from datetime import UTC, datetime, timedelta

import jwt
import pytest

from narthex.contracts.errors import TooManyRequests, Unauthenticated
from narthex.runtime.tasks import background
from narthex_registry import passwords, sessions, tables
from narthex_registry.passwords import open_passwords

KEY = bytes(range(32))
NOW = datetime(2026, 1, 1, tzinfo=UTC)


def session() -> tables.Session:
    return tables.Session(id="s1", user_id="u1", created=NOW, expires=NOW + timedelta(hours=12))


async def test_a_password_matches_its_hash_and_no_other() -> None:
    async with open_passwords() as made:
        kept = await made.hash("correct horse")
        assert kept.startswith("$argon2id$")
        assert "correct horse" not in kept
        assert await made.verify(kept, "correct horse")
        assert not await made.verify(kept, "correct horse ")


async def test_nothing_matches_where_no_password_is_kept() -> None:
    async with open_passwords() as made:
        assert not await made.verify(None, "")
        assert not await made.verify("damaged", "")


async def test_nobodys_hash_takes_the_same_work_as_a_real_one() -> None:
    async with open_passwords() as made:
        real = await made.hash("correct horse")
    assert real.split("$")[:4] == passwords.nobodys_hash().split("$")[:4]  # kind, version and parameters
    assert [len(part) for part in real.split("$")] == [len(part) for part in passwords.nobodys_hash().split("$")]


async def test_more_than_can_be_worked_on_are_told_to_come_back() -> None:
    async with open_passwords() as made, background() as tasks:
        waiting = [tasks.start(made.verify(None, "x"), "verify") for _ in range(passwords.MOST_WAITING)]
        extra = [tasks.start(_refused(made), "refused") for _ in range(3)]
        assert any([await one for one in extra])
        assert not any([await one for one in waiting])


async def _refused(made: passwords.Passwords) -> bool:
    try:
        return await made.verify(None, "x")
    except TooManyRequests:
        return True


def test_a_session_is_found_again_in_its_jwt() -> None:
    text = sessions.sealed(KEY, session())
    assert sessions.looks_like_one(text)
    assert not sessions.looks_like_one("NX_abc")
    assert sessions.session_id(KEY, text) == "s1"


@pytest.mark.parametrize(
    "forged",
    [
        jwt.encode({"iss": "narthex", "sub": "u1", "jti": "s1", "exp": NOW}, bytes(32), algorithm="HS256"),
        jwt.encode({"iss": "narthex", "sub": "u1", "jti": "s1", "exp": NOW}, None, algorithm="none"),
        jwt.encode({"iss": "narthex", "sub": "u1", "jti": "s1", "exp": NOW}, KEY * 2, algorithm="HS512"),
        jwt.encode({"iss": "other", "sub": "u1", "jti": "s1", "exp": NOW}, KEY, algorithm="HS256"),
        jwt.encode({"iss": "narthex", "sub": "u1", "exp": NOW}, KEY, algorithm="HS256"),
        "a.b.c",
        "..",
    ],
)
def test_a_jwt_that_is_not_ours_is_nobodys(forged: str) -> None:
    with pytest.raises(Unauthenticated):
        sessions.session_id(KEY, forged)
