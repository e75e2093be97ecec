"""Too many requests with one token, too many wrong passwords: 429 with whole seconds to wait (UBIOPS_API T10).

A system of its own: guessing passwords would lock the other tests out.
"""

from collections.abc import Iterator
from types import SimpleNamespace

import pytest
import requests
import ubiops
from compat.stage import PASSWORD
from compat.stock import library, raw

from narthex.testing.system import System, running_system

API_LIMIT = {"NARTHEX_API_REQUESTS_PER_MINUTE": "20"}  # of one token


@pytest.fixture(scope="module")
def limited(tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    """A system that allows each token a few requests a minute."""
    with running_system(tmp_path_factory.mktemp("limited"), settings=API_LIMIT) as running:
        yield running


def test_guessing_passwords_is_limited(limited: System) -> None:
    email = "ada@example.com"
    library(limited, limited.token).user_create(ubiops.UserPendingCreate(email=email, password=PASSWORD))
    attempt = {"email": email, "password": "guess"}
    answers = [raw(limited).post("/authorize", attempt) for _ in range(50)]
    over = [answer for answer in answers if answer.status_code == 429]
    assert answers[0].status_code == 401
    assert over
    assert over[0].json()["error"]
    assert over[0].headers["x-ratelimit-reset"].isdecimal()


def test_a_token_over_the_api_limit_gets_429_with_whole_seconds(limited: System) -> None:
    answers = [raw(limited, limited.token).get("/user") for _ in range(40)]
    over = [answer for answer in answers if answer.status_code == 429]
    assert over
    assert over[0].json()["error"]
    for header in ("x-ratelimit-reset", "x-ratelimit-limit", "x-ratelimit-remaining"):
        assert over[0].headers[header].isdecimal()
    assert 0 <= int(over[0].headers["x-ratelimit-reset"]) <= 60
    assert requests.get(f"{limited.api_url}/v2.1/status", timeout=10).status_code == 200


class Waited(Exception):
    """The library wanted to sleep for so many seconds."""


def test_the_library_waits_as_the_429_says(limited: System, monkeypatch: pytest.MonkeyPatch) -> None:
    def sleep(seconds: float) -> None:
        raise Waited(seconds)

    monkeypatch.setattr("ubiops.rest.time", SimpleNamespace(sleep=sleep))
    core = library(limited, limited.token)
    core.api_client.rest_client.auto_retry_rate_limiting = True  # its default
    with pytest.raises(Waited) as waited:
        [core.user_get() for _ in range(40)]
    assert 1 <= waited.value.args[0] <= 61
