"""The unmodified `ubiops` library against a live system, with its own validation on; and raw HTTP beside it.

with refused(404, "nope"):
    core.services_get("default", "nope")
"""

import json
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import requests
import ubiops
from ubiops.exceptions import ApiRequestError

from narthex.testing.system import System

TIMEOUT_S = 30.0


def library(system: System, key: str | None, *, prefix: str = "v2.1") -> ubiops.CoreApi:
    """A client as its documentation says: a host and a key. None = signed out."""
    configuration = ubiops.Configuration(host=f"{system.api_url}/{prefix}" if prefix else system.api_url)
    if key is not None:
        configuration.api_key["Authorization"] = key
    # By default the library sleeps and repeats for ever on 429: here that would be a hang instead of a failure.
    configuration.auto_retry_rate_limiting = False
    return ubiops.CoreApi(ubiops.ApiClient(configuration))


@contextmanager
def refused(*statuses: int, says: str = "") -> Iterator[None]:
    """The block is refused with one of the statuses, in the form that library and CLI read: `{"error": "…"}`."""
    with pytest.raises(ApiRequestError) as caught:
        yield
    error = caught.value
    assert error.status in statuses, f"{error.status}: {error.body}"
    sentence = json.loads(error.body)["error"]
    assert isinstance(sentence, str)
    assert sentence
    assert says in sentence


def gone() -> Any:
    """What is asked for is not there."""
    return refused(404)


def fresh(prefix: str) -> str:
    """A name that nothing has yet."""
    return f"{prefix}-{uuid.uuid4().hex[:10]}"


class Raw:
    """The API without the library: what it cannot send, and answers it would not show."""

    def __init__(self, base_url: str, authorization: str | None) -> None:
        self.base_url = base_url
        self.headers = {"Content-Type": "application/json"}
        if authorization is not None:
            self.headers["Authorization"] = authorization

    def call(self, method: str, path: str, body: Any = None, **more: Any) -> requests.Response:
        data = None if body is None else json.dumps(body)
        return requests.request(
            method,
            self.base_url + path,
            data=data,
            headers=self.headers,
            timeout=TIMEOUT_S,
            allow_redirects=False,
            **more,
        )

    def get(self, path: str, **query: str) -> requests.Response:
        return self.call("GET", path, params=query)

    def post(self, path: str, body: Any = None) -> requests.Response:
        return self.call("POST", path, body)

    def patch(self, path: str, body: Any) -> requests.Response:
        return self.call("PATCH", path, body)

    def made(self, path: str, body: Any) -> Any:
        """What a POST that must succeed has made."""
        answer = self.post(path, body)
        assert answer.status_code == 201, answer.text
        return answer.json()


def raw(system: System, key: str | None = None) -> Raw:
    return Raw(f"{system.api_url}/v2.1", None if key is None else f"Token {key}")
