"""Completion: what a shell is proposed, and that nothing disturbs the prompt."""

import os
import subprocess
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from narthex.cli import complete


def completed(words, tmp_path, **environ):
    """What bash is proposed for the last word."""
    line = f"narthex {words}"
    env = {
        "PATH": os.environ["PATH"], "HOME": str(tmp_path), "_NARTHEX_COMPLETE": "complete_bash",
        "COMP_WORDS": line.replace(" ", "\n"), "COMP_CWORD": str(len(line.split(" ")) - 1), **environ,
    }  # fmt: skip
    command = [sys.executable, "-c", "import sys; from narthex.cli import main; sys.exit(main())"]
    done = subprocess.run(command, capture_output=True, text=True, env=env, cwd=tmp_path, timeout=30)
    assert done.stderr == ""
    return done.stdout.split()


class Api(BaseHTTPRequestHandler):
    wait_s = 0.0

    def do_GET(self):
        time.sleep(self.wait_s)
        self.send_response(200)
        self.end_headers()
        times = '"creation_date": "2026-01-01T00:00:00Z", "last_updated": "2026-01-01T00:00:00Z", "project": "p"'
        names = ("hello", "help", "other")
        self.wfile.write(("[" + ",".join(f'{{"id": "1", "name": "{name}", {times}}}' for name in names) + "]").encode())

    def log_message(self, *_):
        pass


@pytest.fixture
def api():
    """An API with three deployments; it can be made slow."""
    handler = type("Answer", (Api,), {})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    handler.settings = {"NARTHEX_API_URL": f"http://127.0.0.1:{server.server_port}", "NARTHEX_TOKEN": "t"}
    yield handler
    server.shutdown()
    thread.join()
    server.server_close()


def test_commands_and_choices_are_completed(tmp_path):
    assert completed("serv", tmp_path) == ["serve", "services", "service-users"]
    assert completed("services update web --balancing le", tmp_path) == ["least_of_two", "least_in_flight"]
    assert completed("completion z", tmp_path) == ["zsh"]


def test_names_come_from_the_api(tmp_path, api):
    assert completed("deployments get hel", tmp_path, **api.settings) == ["hello", "help"]


def test_nobody_there_proposes_nothing_and_says_nothing(tmp_path):
    away = {"NARTHEX_API_URL": "http://127.0.0.1:9", "NARTHEX_TOKEN": "t"}
    assert completed("deployments get hel", tmp_path, **away) == []
    assert completed("deployments get hel", tmp_path) == []
    assert completed("deployments get hel", tmp_path, NARTHEX_API_URL="nonsense", NARTHEX_TOKEN="t") == []


def test_a_slow_api_is_not_waited_for(tmp_path, api):
    api.wait_s = complete.WITHIN_S + 3
    assert completed("deployments get hel", tmp_path, **api.settings) == []


@pytest.mark.parametrize(
    ("shell", "word"), [("bash", "complete -o default -F"), ("zsh", "#compdef narthex"), ("fish", "complete --command")]
)
def test_the_script_of_each_shell_is_printed(run, shell, word):
    result = run("completion", shell)
    assert result.exit_code == 0
    assert word in result.stdout
    assert "_NARTHEX_COMPLETE" in result.stdout


def test_a_shell_that_is_not_known_is_an_error(run):
    result = run("completion", "tcsh")
    assert (result.exit_code, result.stderr) == (
        2,
        "error: there is no completion for 'tcsh', only for bash, zsh, fish\n",
    )


def test_bash_loads_the_script(run, tmp_path):
    (tmp_path / "completion.sh").write_text(run("completion", "bash").stdout)
    script = f"source {tmp_path}/completion.sh; complete -p narthex"
    done = subprocess.run(["bash", "--norc", "-c", script], capture_output=True, text=True, timeout=10)
    assert done.stdout == "complete -o default -F _narthex_completion narthex\n"


def test_a_mistyped_option_gets_a_proposal(run):
    assert "No such option: --jsn. Did you mean '--json'?" in run("services", "list", "--jsn").stderr
    assert "Did you mean '--api-url'?" in run("--api-ulr", "x", "services", "list").stderr
