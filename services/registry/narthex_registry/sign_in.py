"""Signing in with an e-mail address and a password: the same answer and the same work whether or not there is
such an account, and only so many attempts for an account and for where they come from.
"""

import logging
import math

from sqlalchemy import Select, select

from narthex.contracts.errors import TooManyRequests, Unauthenticated
from narthex.runtime.clock import Clock
from narthex_registry import sessions, tables
from narthex_registry.attempts import Attempts
from narthex_registry.config import SignInSettings
from narthex_registry.database import Database
from narthex_registry.passwords import Passwords
from narthex_registry.tokens import Keys

log = logging.getLogger(__name__)

WRONG = "the e-mail address or the password is wrong"


class SignIn:
    """Checks passwords and begins sessions."""

    def __init__(
        self, database: Database, passwords: Passwords, keys: Keys, clock: Clock, settings: SignInSettings
    ) -> None:
        self._database = database
        self._passwords = passwords
        self._keys = keys
        self._clock = clock
        self._settings = settings
        self._attempts = Attempts(clock, settings.window_s)

    async def authorize(self, email: str, password: str, source: str) -> str:
        """The JWT of a new session."""
        user = await self.check(email, password, source)
        async with self._database.change() as change:
            now = (await change.session.execute(_person(user.email))).scalar_one_or_none()
            if now is None or user.password_hash != now.password_hash:
                raise Unauthenticated(WRONG)  # changed while we worked it out
            begun = await sessions.begin(change, now, self._clock.now())
        return sessions.sealed(self._keys.session, begun)

    async def check(self, email: str, password: str, source: str) -> tables.User:
        """Whose e-mail address and password it is."""
        email = email.strip().lower()
        self.count(email, source)
        async with self._database.read() as session:
            user = (await session.execute(_person(email))).scalar_one_or_none()
        right = await self._passwords.verify(user.password_hash if user is not None else None, password)
        if user is None or not right:
            log.info("sign-in refused", extra={"fields": {"source": source}})
            raise Unauthenticated(WRONG)
        self.forgive(email)
        return user

    async def confirm(self, user: tables.User, password: str, source: str) -> bool:
        """Whether it is the password of somebody who is signed in already; counts as an attempt all the same."""
        self.count(user.email, source)
        right = await self._passwords.verify(user.password_hash, password)
        if right:
            self.forgive(user.email)
        return right

    def count(self, email: str, source: str) -> None:
        """Count an attempt, or refuse it."""
        wait = self._attempts.take(f"source {source}", self._settings.attempts_per_source)
        wait = wait or self._attempts.take(f"account {email}", self._settings.attempts_per_account)
        if wait:
            raise TooManyRequests("too many attempts to sign in; try again later", math.ceil(wait))

    def forgive(self, email: str) -> None:
        self._attempts.forgive(f"account {email}")


def _person(email: str) -> Select[tables.User]:
    return select(tables.User).where(tables.User.email == email, tables.User.project_id.is_(None))
