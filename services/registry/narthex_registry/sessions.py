"""Sessions: what people get who sign in. A JWT that names a row; without the row it is worth nothing.

So signing out, another password and the end of a user end them at once, which a JWT alone could not. They are for
the API only: routers know tokens and nothing else.
"""

from datetime import datetime, timedelta

import jwt
from sqlalchemy import select

from narthex.contracts.errors import Unauthenticated
from narthex.contracts.events import AccessChanged
from narthex_registry import tables
from narthex_registry.database import Change

LASTS = timedelta(hours=12)  # the UbiOps CLI knows no renewal: a working day
MOST = 20  # sessions of one user; the oldest ends when there is one more
BY_PASSWORD, BY_TOKEN, BY_SINGLE_SIGN_ON = "password", "token", "single sign-on"
_ISSUER = "narthex"
_ALGORITHM = "HS256"


def looks_like_one(text: str) -> bool:
    """A JWT has three parts; a token of ours has no dot."""
    return text.count(".") == 2


def sealed(key: bytes, session: tables.Session) -> str:
    """The JWT of a session."""
    claims = {
        "iss": _ISSUER,
        "sub": session.user_id,
        "jti": session.id,
        "iat": session.created,
        "exp": session.expires,
    }
    return jwt.encode(claims, key, algorithm=_ALGORITHM)


def session_id(key: bytes, text: str) -> str:
    """The id of the session that a JWT of ours names. When it ends is up to the row."""
    options: jwt.types.Options = {"require": ["jti", "sub", "exp"], "verify_exp": False, "verify_iat": False}
    try:
        claims = jwt.decode(text, key, algorithms=[_ALGORITHM], issuer=_ISSUER, options=options)
    except jwt.PyJWTError:
        raise Unauthenticated("you are not signed in; sign in again") from None
    return str(claims["jti"])


async def begin(
    change: Change, user: tables.User, now: datetime, way: str = BY_PASSWORD, token: tables.Token | None = None
) -> tables.Session:
    """A new session, which outlives no token that it was begun with; those that have expired go, and the oldest when
    there are too many."""
    query = select(tables.Session).where(tables.Session.user_id == user.id).order_by(tables.Session.id.desc())
    for place, old in enumerate((await change.session.execute(query)).scalars().all()):
        if old.expires <= now or place >= MOST - 1:
            await change.session.delete(old)
    latest = token.expires if token is not None and token.expires is not None else now + LASTS
    session = tables.Session(
        user_id=user.id,
        created=now,
        expires=min(latest, now + LASTS),
        way=way,
        token_id=token.id if token is not None else None,
    )
    change.session.add(session)
    await change.session.flush()
    return session


async def end(change: Change, user_id: str, session: str | None = None, *, but: str = "") -> None:
    """End one session of a user, or all of them but one, and then those of services too; who remembers them is told."""
    query = select(tables.Session).where(tables.Session.user_id == user_id, tables.Session.id != but)
    if session is not None:
        query = query.where(tables.Session.id == session)
    for row in (await change.session.execute(query)).scalars().all():
        await change.session.delete(row)
    user = await change.session.get_one(tables.User, user_id)
    if session is None:
        user.browsers_from = tables.now()
    change.facts.record(AccessChanged, user)
