"""What of an installation must be there again after a restart and after a restore."""

from dataclasses import dataclass

from e2e.conftest import APPS, Caller

from narthex.testing.system import Child, System
from narthex.testing.waiting import until

COMMAND = ["python", "-m", "waitress", "--host={host}", "--port={port}", "flask_app:app"]


@dataclass(frozen=True)
class Identity:
    """What tells an installation with one service from every other."""

    token: str
    root: str
    service: str
    serial: str  # of its certificate


def identity(system: System) -> Identity:
    service, certificate = system.json("services", "list")[0], system.json("certs", "list")[0]["certificate"]
    return Identity(system.token, system.root_pem.read_text(), service["id"], certificate["serial"])


def serve(system: System) -> tuple[Child, str]:
    """Run the service and ask it once; returns it and the request's id."""
    run, host = system.run("kept", "--port", "9040", "--", *COMMAND, cwd=APPS)
    caller = Caller(system, host)
    answer = caller.get("/")
    caller.http.close()
    assert answer.status_code == 200
    return run, answer.headers["x-request-id"]


def logged(system: System, request_id: str) -> bool:
    return request_id in system.cli("requests", "list", "kept", "--json").stdout


async def served(system: System) -> tuple[Child, str]:
    """The service, running, and the id of a request that is in its log."""
    run, request_id = serve(system)
    await until(lambda: logged(system, request_id))
    return run, request_id
