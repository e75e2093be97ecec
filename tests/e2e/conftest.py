"""One embedded system for all journeys, and a client that trusts its root certificate."""

import signal
import ssl
from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest

from narthex.testing.system import System, running_system

APPS = Path(__file__).parent / "apps"


@pytest.fixture(scope="session")
def system(tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    with running_system(tmp_path_factory.mktemp("system")) as running:
        yield running


@pytest.fixture
def systems() -> Iterator[list[System]]:
    """What a test has started, and what is gone when it is over."""
    started: list[System] = []
    yield started
    for system in started:
        system.stop(signal.SIGKILL)


class Caller:
    """Calls one service over HTTPS, verified against the installation's root certificate."""

    def __init__(self, system: System, host: str) -> None:
        self.host = host
        self.port = system.https_port
        self.trust = ssl.create_default_context(cafile=str(system.root_pem))
        self.authorization = {"Authorization": f"Token {system.token}"}
        self.http = httpx2.Client(
            base_url=f"https://127.0.0.1:{self.port}",
            verify=self.trust,
            headers={"Host": f"{host}:{self.port}"},
            timeout=30,
        )

    def request(self, method: str, path: str, *, token: bool = True, **more: object) -> httpx2.Response:
        # The name goes into SNI and is what the certificate is checked for; the address needs no resolver.
        headers = self.authorization if token else {}
        return self.http.request(method, path, headers=headers, extensions={"sni_hostname": self.host}, **more)  # type: ignore[arg-type]

    def get(self, path: str, *, token: bool = True) -> httpx2.Response:
        return self.request("GET", path, token=token)


@pytest.fixture(scope="session")
def fastapi_service(system: System) -> Iterator[Caller]:
    """The FastAPI application behind `narthex run` with two replicas."""
    command = [
        "python",
        "-m",
        "uvicorn",
        "fastapi_app:app",
        "--host",
        "{host}",
        "--port",
        "{port}",
        "--log-level",
        "warning",
    ]
    _, host = system.run("fast", "--port", "9010", "--replicas", "2", "--", *command, cwd=APPS)
    caller = Caller(system, host)
    yield caller
    caller.http.close()


@pytest.fixture(scope="session")
def flask_service(system: System) -> Iterator[Caller]:
    """The Flask application on waitress, one replica, with a health path."""
    command = ["python", "-m", "waitress", "--host={host}", "--port={port}", "flask_app:app"]
    _, host = system.run("flask", "--port", "9020", "--health-path", "/", "--", *command, cwd=APPS)
    caller = Caller(system, host)
    yield caller
    caller.http.close()
