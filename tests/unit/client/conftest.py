"""A client whose API is a list of prepared answers, and whose time passes only by its own waiting."""

from collections.abc import Callable
from typing import Any

import httpx2
import pytest

from narthex.client import Client, Retry

Answer = httpx2.Response | Exception


class TurnedClock:
    """A clock that moves when somebody sleeps."""

    def __init__(self) -> None:
        self.time = 0.0

    def monotonic(self) -> float:
        return self.time

    def sleep(self, seconds: float) -> None:
        self.time += seconds


class Script:
    """Answers the requests in turn (the last answer again and again) and keeps what was asked."""

    def __init__(self, *answers: Answer) -> None:
        self.answers = list(answers)
        self.requests: list[httpx2.Request] = []

    def __call__(self, request: httpx2.Request) -> httpx2.Response:
        self.requests.append(request)
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, Exception):
            raise answer
        return httpx2.Response(answer.status_code, headers=answer.headers, content=answer.content)


@pytest.fixture
def clock() -> TurnedClock:
    return TurnedClock()


@pytest.fixture
def client_of(clock: TurnedClock) -> Callable[..., tuple[Client, Script]]:
    def make(*answers: Answer, **options: Any) -> tuple[Client, Script]:
        script = Script(*answers)
        options = {"retry": Retry(total_s=30.0), "clock": clock, **options}
        return Client("http://api.test", "nx_token", transport=httpx2.MockTransport(script), **options), script

    return make
