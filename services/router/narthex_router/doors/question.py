"""What the ways in have in common: the refusal, and the question that cannot be answered at once. Pure."""

import hashlib
from dataclasses import dataclass
from enum import Enum
from math import inf

from narthex_router.route import Route


class Refusal(Exception):
    """The request may not pass: the code and a sentence for the caller."""

    def __init__(self, code: str, detail: str, until: float = inf) -> None:
        super().__init__(detail)
        self.code = code
        self.detail = detail
        self.until = until  # Unix seconds: it is looked at again then; inf: when access or the service changes

    def kept(self) -> "Refusal":
        """Itself, to be remembered: without the frames it was raised in, which hold on to all that came before."""
        self.__context__ = None
        return self.with_traceback(None)


class Way(Enum):
    """Which door somebody is at."""

    BASIC = "basic"
    JWT = "jwt"


@dataclass(frozen=True, slots=True)
class Question:
    """Whether a credential is good for a service; `key` stands for it and all that the answer depends on."""

    way: Way
    route: Route
    credential: bytes
    key: bytes


class Unsettled(Exception):
    """Nobody knows yet: the question has to be asked."""

    def __init__(self, question: Question) -> None:
        super().__init__(question.way.value)
        self.question = question


class Asking:
    """Stands in a request's place among those that wait, until its question is answered."""

    waiting = True

    def leave(self) -> None: ...

    def sent(self, at: float, since: float) -> None: ...


ASKING = Asking()


def question(way: Way, route: Route, depends: str, credential: bytes) -> Question:
    """`depends`: what of the service's policy the answer depends on."""
    key = hashlib.sha256(f"{way.value}\0{route.service_id}\0{depends}\0".encode() + credential).digest()
    return Question(way, route, credential, key)
