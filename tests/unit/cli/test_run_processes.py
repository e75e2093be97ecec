"""`narthex run` with real child processes, against the small API on a real socket."""

import json
import os
import queue
import re
import signal
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from narthex.testing.processes import alive
from narthex.testing.waiting import eventually_sync

PREFIX = "projects/default/deployments/hello/versions/v1/instances"
DEADLINE_S = 30.0


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    fake = None

    def _answer(self):
        length = int(self.headers.get("content-length") or 0)
        body = json.loads(self.rfile.read(length)) if length else {}
        status, answer = self.fake.answer(self.command, urlsplit(self.path).path, body)
        content = b"" if answer is None else json.dumps(answer).encode()
        self.send_response(status)
        if status != 204:
            self.send_header("content-length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = _answer  # noqa: N815 - the names that http.server looks for

    def log_message(self, *_):
        pass


@pytest.fixture
def api_url(fake):
    """The fake API on a socket, with a service that is always ready and applied."""
    fake.answers["GET", "projects/default/services/hello/status"] = (
        200,
        {"id": "s", "ready": True, "instances_ready": 1},
    )
    fake.answers["GET", "projects/default/services/hello/propagation"] = (
        200,
        {"sequence": 1, "applied": True, "workers": []},
    )
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Bound", (Handler,), {"fake": fake}))
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


class Running:
    """A `narthex run` and what it prints."""

    def __init__(self, process):
        self.process = process
        self.lines = []
        self.reads_on = threading.Event()
        self.reads_on.set()
        self._news = queue.Queue()
        self._reader = threading.Thread(target=self._read)
        self._reader.start()

    def _read(self):
        for line in self.process.stdout:
            self._news.put(line.rstrip("\n"))
            self.reads_on.wait()
        self._news.put(None)

    def until(self, pattern):
        """The next line that matches; fails with everything printed when none comes."""
        deadline = time.monotonic() + DEADLINE_S
        while (left := deadline - time.monotonic()) > 0:
            try:
                line = self._news.get(timeout=left)
            except queue.Empty:
                break
            if line is None:
                break
            self.lines.append(line)
            if found := re.search(pattern, line):
                return found
        raise AssertionError(f"no line matched {pattern!r} in:\n" + "\n".join(self.lines))

    def end(self, number=signal.SIGTERM):
        self.process.send_signal(number)
        return self.process.wait(DEADLINE_S)

    def close(self):
        self.process.kill()
        self.process.wait()
        self.reads_on.set()
        self._reader.join()
        self.process.stdout.close()


@pytest.fixture
def narthex_run(api_url, tmp_path):
    @contextmanager
    def start(*arguments):
        env = {
            "PATH": os.environ["PATH"], "HOME": str(tmp_path), "NARTHEX_API_URL": api_url, "NARTHEX_TOKEN": "t",
            "PYTHON": sys.executable,
        }  # fmt: skip
        command = [sys.executable, "-m", "narthex.cli", "run", "hello", *arguments]
        process = subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=env, cwd=tmp_path
        )
        running = Running(process)
        try:
            yield running
        finally:
            running.close()

    return start


HTTP_SERVER = [sys.executable, "-m", "http.server", "{port}", "--bind", "{host}"]


def get(url):
    try:
        with urllib.request.urlopen(url, timeout=5) as response:
            return response.status
    except (urllib.error.URLError, ConnectionError):
        return None


def instances(fake):
    return [thing for path, thing in list(fake.things.items()) if path.startswith(PREFIX)]


def places(running, count):
    return [running.until(r"runs at ([0-9.]+):([0-9]+)").groups() for _ in range(count)]


def pid_at(port, host):
    """The process that listens there, asked from the kernel; None when there is none."""
    needle = f"{''.join(f'{int(part):02X}' for part in reversed(host.split('.')))}:{int(port):04X}"
    rows = [row.split() for row in Path("/proc/net/tcp").read_text().splitlines()]
    sockets = {f"socket:[{row[9]}]" for row in rows if row[1] == needle and row[3] == "0A"}
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if sockets & {str(link.readlink()) for link in (process / "fd").iterdir()}:
                return int(process.name)
        except OSError:
            continue  # it ended, or is not ours
    return None


def test_replicas_run_at_their_own_addresses_are_registered_and_drained(narthex_run, fake):
    with narthex_run("--port", "19000", "--replicas", "2", "--", *HTTP_SERVER) as running:
        found = sorted(places(running, 2))
        assert [port for _, port in found] == ["19000", "19000"]
        assert len({host for host, _ in found}) == 2
        running.until(r"hello is ready: https://id-\d+\.services\.localhost:8443")
        running.until(r'curl -H "Authorization: Token \$NARTHEX_TOKEN" https://id-')
        eventually_sync(lambda: len(instances(fake)) == 2)
        assert sorted(instance["address"] for instance in instances(fake)) == [host for host, _ in found]
        assert all(instance["lease_seconds"] == 15 and "port" not in instance for instance in instances(fake))
        for host, port in found:
            assert eventually_sync(lambda host=host, port=port: get(f"http://{host}:{port}/")) == 200
        running.until(r"hello\.[12] \| .*GET / HTTP")
        assert running.end() == 0
        assert instances(fake) == []
        assert [get(f"http://{host}:{port}/") for host, port in found] == [None, None]


def test_a_command_that_ignores_the_address_gets_ports(narthex_run, fake):
    command = [sys.executable, "-m", "http.server", "{port}"]
    with narthex_run("--port", "19010", "--replicas", "2", "--", *command) as running:
        found = places(running, 2)
        assert {host for host, _ in found} == {"127.0.0.1"}
        eventually_sync(lambda: len(instances(fake)) == 2)
        assert {instance["address"] for instance in instances(fake)} == {"127.0.0.1"}
        ports = {int(port) for _, port in found}
        assert {instance.get("port", 19010) for instance in instances(fake)} == ports
        for port in ports:
            assert eventually_sync(lambda port=port: get(f"http://127.0.0.1:{port}/")) == 200


def test_a_command_may_read_host_and_port_from_its_environment(narthex_run):
    script = "import os; print(os.environ['HOST'], os.environ['PORT']); import time; time.sleep(60)"
    with narthex_run("--port", "19020", "--", sys.executable, "-c", script) as running:
        running.until(r"hello\.1 \| 127\.0\.0\.1 190\d\d$")


def test_a_replica_that_dies_is_started_again_and_its_last_words_are_its_note(narthex_run, fake):
    script = "import sys; print('out'); sys.exit('no module named vllm')"
    with narthex_run("--port", "19030", "--", sys.executable, "-c", script) as running:
        running.until(r"hello\.1 \| no module named vllm")
        running.until(r"replica 1 exited with 1: no module named vllm; it starts again in 0\.2 s")
        running.until(r"starts again in 0\.4 s")
        eventually_sync(lambda: any(i.get("note") == "exited with 1: no module named vllm" for i in instances(fake)))
        assert running.end() == 0


def test_a_killed_replica_comes_back_at_the_same_address(narthex_run, fake):
    with narthex_run("--port", "19040", "--", *HTTP_SERVER) as running:
        [(host, port)] = places(running, 1)
        eventually_sync(lambda: get(f"http://{host}:{port}/"))
        os.kill(pid_at(port, host), signal.SIGKILL)
        running.until(r"replica 1 killed by signal 9: .*; it starts again in 0\.2 s")
        assert places(running, 1) == [(host, port)]
        assert eventually_sync(lambda: get(f"http://{host}:{port}/")) == 200
        assert running.end(signal.SIGINT) == 0


def test_a_taken_place_is_not_registered_as_ours(narthex_run, fake):
    """The port is free when it is chosen and taken when the replica starts again."""
    script = (
        "import socket, subprocess, sys, os, time\n"
        "s = socket.create_server(('127.0.0.1', int(os.environ['PORT'])))\n"
        "subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)'],"
        " pass_fds=[s.fileno()], start_new_session=True)\n"
        "print('left behind'); sys.exit(3)"
    )
    with narthex_run("--port", "19050", "--", sys.executable, "-c", script) as running:
        running.until(r"left behind")
        port = running.until(r"cannot start: 127\.0\.0\.1:(190\d\d) is in use by another process").group(1)
        eventually_sync(lambda: not instances(fake))
        running.end()
        os.kill(pid_at(port, "127.0.0.1"), signal.SIGKILL)


def test_killing_run_kills_its_children(narthex_run):
    with narthex_run("--port", "19060", "--replicas", "2", "--", *HTTP_SERVER) as running:
        found = places(running, 2)
        for host, port in found:
            eventually_sync(lambda host=host, port=port: get(f"http://{host}:{port}/"))
        running.process.kill()
        running.process.wait()
        for host, port in found:
            eventually_sync(lambda host=host, port=port: pid_at(port, host) is None)


def test_killing_run_ends_what_its_children_started(narthex_run):
    script = '"$PYTHON" -m http.server "$PORT" --bind "$0" & wait'
    with narthex_run("--port", "19065", "--", "sh", "-c", script, "{host}") as running:
        [(host, port)] = places(running, 1)
        eventually_sync(lambda: get(f"http://{host}:{port}/"))
        running.process.kill()
        eventually_sync(lambda: pid_at(port, host) is None)


STUBBORN = (
    "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('deaf', flush=True); time.sleep(60)"
)


def test_a_second_ctrl_c_ends_at_once(narthex_run):
    with narthex_run("--port", "19070", "--", sys.executable, "-c", STUBBORN) as running:
        running.until(r"deaf")
        running.process.send_signal(signal.SIGINT)
        running.until(r"draining; Ctrl-C again ends at once")
        began = time.monotonic()
        assert running.end(signal.SIGINT) == 130
        assert time.monotonic() - began < 5


def test_what_a_replica_started_ends_with_it(narthex_run):
    script = (
        f'"$PYTHON" -c \'import time; print("grandchild", flush=True); time.sleep(60)\' & echo pid $!; wait; {"true"}'
    )
    with narthex_run("--port", "19080", "--", "sh", "-c", script) as running:
        pid = int(running.until(r"pid (\d+)").group(1))
        running.until("grandchild")
        assert running.end() == 0
        eventually_sync(lambda: not alive(pid))


def test_a_command_that_does_not_exist_ends_with_2_before_anything_is_made(narthex_run, fake):
    with narthex_run("--port", "19090", "--", "no-such-program", "{port}") as running:
        running.until(r"error: cannot run 'no-such-program'")
        assert running.process.wait(DEADLINE_S) == 2
    assert fake.asked == []


@pytest.mark.parametrize(
    "arguments",
    [["--port", "80", "--", "true"], ["--port", "19090"], ["--port", "19090", "--replicas", "0", "--", "true"]],
)
def test_wrong_usage_ends_with_2(narthex_run, fake, arguments):
    with narthex_run(*arguments) as running:
        assert running.process.wait(DEADLINE_S) == 2
    assert fake.asked == []


def test_json_lines_tell_the_whole_story(narthex_run):
    script = "print('hi \\x1b[31m'); import time; time.sleep(60)"
    with narthex_run("--json", "--port", "19100", "--", sys.executable, "-c", script) as running:
        running.until('"event": "ready"')
        running.until('"event": "output"') if not any('"output"' in line for line in running.lines) else None
        events = [json.loads(line) for line in running.lines]
        assert {"object", "started", "output", "ready"} <= {event["event"] for event in events}
        [output] = [event for event in events if event["event"] == "output"]
        assert (output["replica"], output["line"]) == (1, "hi \x1b[31m")


def test_leases_are_renewed_while_nobody_reads_the_output(narthex_run, fake):
    """A stopped terminal must not let the instances vanish; here: a pipe that is never read."""
    script = "import itertools\nfor n in itertools.count(): print('x' * 1000)"
    with narthex_run("--port", "19110", "--", sys.executable, "-c", script) as running:
        places(running, 1)
        running.reads_on.clear()
        eventually_sync(lambda: [path for method, path, _ in list(fake.asked) if method == "PUT"])
