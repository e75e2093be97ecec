"""The nursery: a small process that has imported all a worker needs, and forks one when it is told to.

What workers must share is made here, before they are forked: the listening sockets, so that a worker that dies
leaves its port open for the next one, and the TLS context that listens, so that a session ticket from one worker
is good at all of them. It runs no event loop and no thread, which is what makes forking safe.

Spoken over one SEQPACKET socket to the main process, a JSON object a message:

    main:     {"do": "open", "config": …, "workers": 2}      {"do": "start", "slot": 0, "name": …} with a descriptor
              {"do": "kill", "pid": 1}                       {"do": "close"}: close the listening sockets
    nursery:  {"opened": true} or {"failed": "sentence"}     {"started": pid}     {"ended": pid, "code": 0}

The end of the socket ends the nursery and, by the kernel's hand, its workers.
"""

import gc
import json
import os
import select
import signal
import socket
import sys
from typing import Any, NoReturn

from narthex.runtime.child import die_with_parent
from narthex_router.tls import Context, new_context
from narthex_router.worker import Listeners, WorkerConfig, run_worker

BACKLOG = 4096
MESSAGE = 65536


class Nursery:
    """Forks workers, reaps them, and says so."""

    def __init__(self, main: socket.socket) -> None:
        self._main = main
        self._config: dict[str, Any] = {}
        self._slots: list[tuple[socket.socket, socket.socket]] = []
        self._context: Context = new_context()
        self._children: set[int] = set()

    def run(self) -> None:
        """Obey until the main process is gone."""
        woken, waker = socket.socketpair()
        woken.setblocking(False)
        waker.setblocking(False)
        signal.set_wakeup_fd(waker.fileno(), warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, lambda number, frame: None)
        while True:
            ready, _, _ = select.select([self._main, woken], [], [])
            if woken in ready:
                woken.recv(MESSAGE)
                self._reap()
            if self._main in ready:
                data, descriptors, _, _ = socket.recv_fds(self._main, MESSAGE, 1)
                if not data:
                    return
                self._obey(json.loads(data), descriptors)

    def _obey(self, message: dict[str, Any], descriptors: list[int]) -> None:
        match message["do"]:
            case "open":
                self._open(message["config"], message["workers"])
            case "start":
                self._start(message["slot"], message["name"], descriptors[0])
            case "kill" if message["pid"] in self._children:
                os.kill(message["pid"], signal.SIGKILL)
            case "close":
                self._close()
            case _:
                pass  # a child that has ended meanwhile

    def _open(self, config: dict[str, Any], workers: int) -> None:
        """Open the ports once for each worker; the kernel spreads connections over them (SO_REUSEPORT)."""
        self._config = config
        try:
            for _ in range(workers):
                self._slots.append(
                    (listen(config["bind"], config["https_port"]), listen(config["bind"], config["http_port"]))
                )
        except OSError as error:
            self._say(failed=f"cannot listen on {config['bind']}: {error.strerror}; choose other ports")
            return
        self._say(opened=True)

    def _start(self, slot: int, name: str, descriptor: int) -> None:
        tether = die_with_parent()
        gc.freeze()  # keeps the pages that are shared with the children from being written by their collector
        pid = os.fork()
        if pid == 0:
            self._become_worker(slot, name, descriptor, tether)
        os.close(descriptor)
        self._children.add(pid)
        self._say(started=pid)

    def _become_worker(self, slot: int, name: str, descriptor: int, tether: Any) -> NoReturn:
        code = 1
        try:
            tether()
            signal.set_wakeup_fd(-1)
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            self._main.close()
            for number, pair in enumerate(self._slots):
                if number != slot:
                    for each in pair:
                        each.close()
            secure, plain = self._slots[slot]
            config = WorkerConfig(**{**self._config, "name": name})
            run_worker(config, descriptor, Listeners(secure, plain, self._context))
            code = 0
        except BaseException:
            sys.excepthook(*sys.exc_info())
        finally:
            os._exit(code)

    def _close(self) -> None:
        for pair in self._slots:
            for each in pair:
                each.close()
        self._slots = []

    def _reap(self) -> None:
        for pid in list(self._children):
            found, status = os.waitpid(pid, os.WNOHANG)
            if found:
                self._children.discard(pid)
                self._say(ended=pid, code=os.waitstatus_to_exitcode(status))

    def _say(self, **message: Any) -> None:
        try:
            self._main.send(json.dumps(message).encode())
        except OSError:
            pass  # the main process is gone: the next read says so


def listen(bind: str, port: int) -> socket.socket:
    """A listening socket that shares its port with the others of its kind."""
    family = socket.AF_INET6 if ":" in bind else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    listener.bind((bind, port))
    listener.listen(BACKLOG)
    listener.setblocking(False)
    return listener


def main() -> None:
    """`python -P -m narthex_router.nursery <descriptor of the socket to the main process>`"""
    # Ctrl-C and SIGTERM go to the main process, which drains the workers in order.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    Nursery(socket.socket(fileno=int(sys.argv[1]))).run()


if __name__ == "__main__":
    main()
