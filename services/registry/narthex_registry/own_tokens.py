"""Tokens of users: issued, shown once, revoked."""

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from narthex.contracts import api
from narthex.contracts.errors import Conflict, Invalid, NotFound
from narthex.contracts.events import TokenIssued, TokenRevoked
from narthex_registry.database import Change
from narthex_registry.tables import Token, User
from narthex_registry.tokens import digest, new_token

MOST = 100  # tokens of one person


async def listed(session: AsyncSession, user_id: str) -> list[Token]:
    """The tokens of a user that are good, oldest first."""
    query = select(Token).where(Token.user_id == user_id, ~Token.revoked).order_by(Token.id)
    return list((await session.execute(query)).scalars())


async def create(
    change: Change, key: bytes, user: User, body: api.TokenCreate, now: datetime, latest: datetime | None
) -> tuple[Token, str]:
    """A new token of a person, and its text. `latest`: a token makes none that outlives it."""
    expires = body.expiry_date if body.expiry_date is not None else latest
    if expires is not None and expires <= now:
        raise Invalid("expiry_date: must be in the future")
    if latest is not None and expires is not None and expires > latest:
        raise Invalid(f"expiry_date: must not be after that of the token that was sent, {latest.isoformat()}")
    if len(await listed(change.session, user.id)) >= MOST:
        raise Conflict(f"there are {MOST} tokens already; delete those that are not used")
    return await issue(change, key, user, body.name, expires)


async def issue(change: Change, key: bytes, user: User, name: str, expires: datetime | None) -> tuple[Token, str]:
    text = new_token()
    token = Token(user_id=user.id, name=name, digest=digest(key, text), expires=expires)
    change.session.add(token)
    await change.session.flush()
    change.facts.record(TokenIssued, token)
    return token, text


async def revoke(change: Change, user_id: str, token_id: str) -> None:
    token = await change.session.get(Token, token_id)
    if token is None or token.user_id != user_id or token.revoked:
        raise NotFound(f"there is no token {token_id}")
    await _end(change, token)


async def revoke_all(change: Change, user: User) -> None:
    query = select(Token).where(Token.user_id == user.id)
    for token in (await change.session.execute(query)).scalars().all():
        await _end(change, token)
    await change.session.flush()


async def _end(change: Change, token: Token) -> None:
    """Routers keep the fact that it is revoked; here nobody needs the row any more."""
    token.revoked = True
    change.facts.record(TokenRevoked, token)
    await change.session.delete(token)


def detail(token: Token, used: datetime | None) -> api.TokenDetail:
    """`used`: when it was, which may not be written down yet."""
    return api.TokenDetail(
        id=token.id,
        name=token.name,
        creation_date=token.created,
        expiry_date=token.expires,
        token_last_used=used,
    )
