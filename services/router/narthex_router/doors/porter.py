"""Finds out what cannot be said at once: whether a password is right, whether a JSON Web Token is genuine.

What was found out is remembered, so that a request with a credential seen before is decided without waiting. Both
memories are bounded, and wrong credentials have one of their own: they never push out a right one.
"""

import asyncio
import hashlib
import logging
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

from narthex.runtime.tasks import Background
from narthex_router.doors import basic, bearer
from narthex_router.doors.keys import Away, KeySets
from narthex_router.doors.policy import Network
from narthex_router.doors.question import Question, Refusal, Way
from narthex_router.route import Caller, outsider

log = logging.getLogger(__name__)

MOST_RIGHT = 10_000
MOST_WRONG = 1_000
PASSWORD_S = 600.0  # a right password is not worked out again for so long
WRONG_S = 60.0
# Passwords take 25 ms of one thread each: a service, and a client, may have so many worked out at a time.
WAITING, WAITING_OF_SERVICE = 32, 8


class Porter:
    """One a worker."""

    def __init__(
        self, tasks: Background, *, pass_key: bytes = b"", sign_in_url: str = "", networks: tuple[Network, ...] = ()
    ) -> None:
        self.pass_key = pass_key  # signs what browsers carry; empty until the worker has read it
        self.older_keys: tuple[bytes, ...] = ()  # under which passwords may be kept as well
        self.sign_in_url = sign_in_url  # of the installation's sign-in page; empty: there is none
        self._keys = KeySets(tasks, networks)
        self._tasks = tasks
        self._right: dict[bytes, Caller] = {}
        self._wrong: dict[bytes, Refusal] = {}
        self._asking: dict[bytes, asyncio.Future[None]] = {}
        self._waiting: Counter[str] = Counter()
        self._threads: ThreadPoolExecutor | None = None

    def settled(self, question: Question, now: float) -> Caller | Refusal | None:
        """What is known, at `now` in Unix seconds; None: it has to be asked."""
        caller = self._right.get(question.key)
        if caller is not None and caller.expires_at > now:
            return caller
        refusal = self._wrong.get(question.key)
        return refusal if refusal is not None and refusal.until > now else None

    async def settle(self, question: Question) -> None:
        """Find out, so that it is settled; who asks the same meanwhile waits for the same answer."""
        if (asking := self._asking.get(question.key)) is None:
            asking = self._asking[question.key] = asyncio.get_running_loop().create_future()
            self._tasks.start(self._find_out(question, asking), "check a credential")
        await asyncio.shield(asking)

    async def _find_out(self, question: Question, asking: asyncio.Future[None]) -> None:
        try:
            caller = await (self._jwt(question) if question.way is Way.JWT else self._basic(question))
            remember(self._right, question.key, caller, MOST_RIGHT)
        except Refusal as refusal:
            remember(self._wrong, question.key, refusal.kept(), MOST_WRONG)
        except Exception as error:  # whatever somebody sends or an issuer answers: it must not end the worker
            log.exception("a credential could not be checked", exc_info=error)
        finally:
            del self._asking[question.key]
            asking.set_result(None)

    async def _jwt(self, question: Question) -> Caller:
        doors = question.route.doors
        assert doors is not None
        assert doors.jwt is not None
        try:
            keys = await self._keys.of(doors.jwt)
            key = bearer.key_of(question.credential, keys)
            if key is None:
                key = bearer.key_of(question.credential, await self._keys.fresh(doors.jwt))
            if key is None:
                raise Refusal("token_invalid", "the JWT is signed with a key that its issuer does not name")
            claims = bearer.verify(question.credential, key, doors.jwt)
            return bearer.caller_of(claims, doors.jwt, doors.calling_roles, question.route.service_id, time.time())
        except Away as away:
            raise Refusal("access_unknown", f"the issuer's keys cannot be fetched: {away}", _soon(1.0)) from None
        except Refusal as refusal:
            raise Refusal(refusal.code, refusal.detail, _soon(WRONG_S)) from None

    async def _basic(self, question: Question) -> Caller:
        route = question.route
        read = basic.read_basic(question.credential)
        if read is None or route.doors is None:
            raise Refusal("token_invalid", "Authorization must be: Basic <base64 of name:password>", _soon(WRONG_S))
        name, password = read
        kept = route.doors.basic_users.get(name)
        right = await self._work_out(route.service_id, kept or basic.NOBODYS, password)
        if not right or kept is None:
            raise Refusal("token_invalid", "the name or the password is wrong", _soon(WRONG_S))
        identity = "basic-" + hashlib.sha256(f"{route.service_id}\0{name}".encode()).hexdigest()[:32]
        return outsider(identity, name, route.service_id, _soon(PASSWORD_S))

    async def _work_out(self, service_id: str, kept: str, password: bytes) -> bool:
        if self._waiting.total() >= WAITING or self._waiting[service_id] >= WAITING_OF_SERVICE:
            raise Refusal("access_unknown", "many passwords are being checked; try again in a moment", _soon(1.0))
        if self._threads is None:
            self._threads = ThreadPoolExecutor(1, thread_name_prefix="password")
        self._waiting[service_id] += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(
                self._threads, basic.is_password, kept, (self.pass_key, *self.older_keys), password
            )
        finally:
            self._waiting[service_id] -= 1
            if not self._waiting[service_id]:
                del self._waiting[service_id]


def remember(memory: dict[bytes, Caller] | dict[bytes, Refusal], key: bytes, what: Caller | Refusal, most: int) -> None:
    """Put something in; the oldest goes."""
    held: dict[bytes, Caller | Refusal] = memory  # type: ignore[assignment]  # either of the two
    held.pop(key, None)
    held[key] = what
    if len(held) > most:
        del held[next(iter(held))]


def _soon(seconds: float) -> float:
    return time.time() + seconds
