"""The sealing key of a running installation is changed, and nobody notices."""

import json
import threading

from e2e.conftest import Caller

from narthex.runtime.key_file import read_sealing_keys
from narthex.runtime.sealing import Sealer
from narthex.testing.system import System
from narthex.testing.waiting import until


async def test_the_sealing_key_is_changed_while_services_are_called(system: System, flask_service: Caller) -> None:
    file = system.data_dir / "sealing.key"
    before = read_sealing_keys(file)
    statuses: list[int] = []
    enough = threading.Event()

    def call() -> None:
        while not enough.is_set():
            statuses.append(flask_service.get("/").status_code)

    caller = threading.Thread(target=call)
    caller.start()
    try:
        system.cli("keys", "rotate", "--file", str(file))
        now = read_sealing_keys(file)
        assert now[1:] == before
        fresh = Sealer(now[0])

        def sealed_anew() -> bool:
            issued = json.loads((system.data_dir / "certs/wildcard.json").read_text())
            secrets = {f"certificate:{issued['id']}": issued["sealed_key"]}
            for kind in ("root", "issuing"):
                secrets[f"ca:{kind}"] = (system.data_dir / f"ca/{kind}.key.sealed").read_text().strip()
            try:
                return all(fresh.open(sealed, context) for context, sealed in secrets.items())
            except ValueError:
                return False

        await until(sealed_anew)
        made = json.loads(system.cli("tokens", "create", "--name", "after the change", "--json").stdout)
        flask_service.authorization = {"Authorization": f"Token {made['token']}"}
        await until(lambda: flask_service.get("/").status_code == 200)  # routers learn of a token in a moment
        flask_service.authorization = {"Authorization": f"Token {system.token}"}
        said = len(statuses)
        await until(lambda: len(statuses) > said + 5)
    finally:
        enough.set()
        caller.join()
    # A new token is known everywhere a moment after it was made; every other request was served.
    assert set(statuses) <= {200, 401}
    assert statuses[-5:] == [200] * 5
    assert "after the change" in system.cli("tokens", "list").stdout
