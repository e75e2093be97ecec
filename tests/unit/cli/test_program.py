"""The program as a process: exit codes, what it imports, and `status` against real sockets."""

import json
import os
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

SERVER_SIDE = ("aiohttp", "nats", "redis", "sqlalchemy", "uvloop", "cryptography", "pydantic_settings", "chdb")


@pytest.fixture
def narthex(tmp_path):
    def invoke(*arguments, **environ):
        env = {"PATH": os.environ["PATH"], "HOME": str(tmp_path), **environ}
        command = [sys.executable, "-m", "narthex.cli", *arguments]
        return subprocess.run(command, capture_output=True, text=True, env=env, cwd=tmp_path, timeout=60)

    return invoke


def test_help_has_the_exit_codes(narthex):
    result = narthex("--help")
    assert result.returncode == 0
    for code in "01234":
        assert f"\n  {code}  " in result.stdout


def test_without_any_installation_the_message_says_what_to_do(narthex):
    result = narthex("services", "list")
    assert (result.returncode, result.stdout) == (2, "")
    assert result.stderr.startswith("error: no Narthex is known here: start one with")


def test_nobody_listening_ends_with_3(narthex):
    result = narthex("services", "list", NARTHEX_API_URL="http://127.0.0.1:9", NARTHEX_TOKEN="t")
    assert result.returncode == 3


def test_wrong_usage_ends_with_2(narthex):
    assert narthex("services", "create").returncode == 2
    assert narthex("frobnicate").returncode == 2


def test_serve_names_the_services_it_has(narthex):
    unknown = narthex("serve", "registr")
    assert (unknown.returncode, unknown.stderr) == (
        2,
        "error: there is no service 'registr' to run. Did you mean 'registry'?\n",
    )
    assert narthex("serve").returncode == 2
    assert narthex("serve", "--help").returncode == 0


def modules_after(narthex, tmp_path, *arguments, **environ):
    (tmp_path / "look.py").write_text(
        "import sys\nfrom narthex.cli import main\n"
        f"sys.argv = ['narthex', *{list(arguments)!r}]\n"
        "try:\n    main()\nexcept SystemExit:\n    pass\n"
        "print('\\n' + ' '.join(sorted({name.split('.')[0] for name in sys.modules})))\n"
    )
    env = {"PATH": os.environ["PATH"], "HOME": str(tmp_path), **environ}
    command = [sys.executable, str(tmp_path / "look.py")]
    result = subprocess.run(command, capture_output=True, text=True, env=env, cwd=tmp_path, timeout=60)
    return set(result.stdout.splitlines()[-1].split())


def test_a_client_command_imports_nothing_of_the_server(narthex, tmp_path):
    env = {"NARTHEX_API_URL": "http://127.0.0.1:9", "NARTHEX_TOKEN": "t"}
    loaded = modules_after(narthex, tmp_path, "services", "list", **env)
    assert "typer" in loaded
    assert not loaded & set(SERVER_SIDE)


def test_serve_imports_nothing_of_the_command_line(narthex, tmp_path):
    assert not modules_after(narthex, tmp_path, "serve", "nope") & {"typer", "rich", "httpx2"}


def test_without_the_servers_packages_up_and_serve_say_what_to_install(tmp_path):
    (tmp_path / "look.py").write_text(
        "import sys\nfrom importlib.abc import MetaPathFinder\n"
        "class Without(MetaPathFinder):\n"
        "    def find_spec(self, name, path=None, target=None):\n"
        f"        if name.split('.')[0] in {SERVER_SIDE!r}:\n"
        "            raise ModuleNotFoundError(f'No module named {name!r}', name=name)\n"
        "sys.meta_path.insert(0, Without())\n"
        "from narthex.cli import main\nsys.argv = ['narthex', *sys.argv[1:]]\nsys.exit(main())\n"
    )
    for arguments in (["up"], ["serve", "registry"]):
        command = [sys.executable, str(tmp_path / "look.py"), *arguments]
        result = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, timeout=60)
        assert result.returncode == 2
        assert "pip install 'narthex[server,embedded]'" in result.stderr
        assert len(result.stderr.splitlines()) == 1


class Readyz(BaseHTTPRequestHandler):
    answer: tuple[int, dict[str, object]] = (200, {"ready": True, "waiting_for": {}})

    def do_GET(self):
        status, body = self.answer
        self.send_response(status)
        self.end_headers()
        self.wfile.write(json.dumps(body).encode())

    def log_message(self, *_):
        pass


@pytest.fixture
def part():
    """A part's admin port; its answer can be set."""
    handler = type("Answer", (Readyz,), {})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    handler.port = server.server_port
    yield handler
    server.shutdown()
    thread.join()
    server.server_close()


def supervisor(tmp_path, pid, *parts):
    data = tmp_path / ".narthex"
    data.mkdir()
    head = {"pid": pid, "started": "2026-01-01T00:00:00+00:00", "urls": {"api": "http://127.0.0.1:8000"}}
    (data / "supervisor.json").write_text(json.dumps({**head, "parts": parts}))


def described(name, port, state="ready"):
    return {
        "name": name, "pid": os.getpid(), "state": state, "restarts": 0, "since": "2026-01-01T00:00:00+00:00",
        "admin_port": port, "last_exit": "",
    }  # fmt: skip


def test_status_asks_each_part(narthex, tmp_path, part):
    supervisor(tmp_path, os.getpid(), described("nats", None), described("router", part.port))
    result = narthex("status", "--json")
    assert result.returncode == 0
    system = json.loads(result.stdout)
    assert [(p["name"], p["ready"]) for p in system["parts"]] == [("nats", True), ("router", True)]
    assert narthex("status").stdout.splitlines()[2].startswith("router\tready\tyes\t")


def test_status_says_what_a_part_waits_for(narthex, tmp_path, part):
    part.answer = (503, {"ready": False, "waiting_for": {"table": "no \x1b table yet"}})
    supervisor(tmp_path, os.getpid(), described("router", part.port, "starting"))
    result = narthex("status")
    assert result.returncode == 1
    assert "table=no \\x1b table yet" in result.stdout


def test_status_of_nothing_and_of_a_supervisor_that_is_gone_end_with_3(narthex, tmp_path):
    assert narthex("status").returncode == 3
    gone = subprocess.Popen(["true"])
    gone.wait()
    supervisor(tmp_path, gone.pid)
    result = narthex("status")
    assert result.returncode == 3
    assert "no Narthex runs in" in result.stderr
