"""The nursery: a small process that has imported all a worker needs, and forks one when it is told to.

What workers must share is here before they are forked: the listening sockets, which the main process opened, and the
TLS context that listens, so that a session ticket from one worker is good at all of them. It runs no event loop and
no thread, which is what makes forking safe.

Spoken over one SEQPACKET socket to the main process, a JSON object a message:

    main:     {"do": "open", "config": …, "workers": 2, "secure": 2, "ticket_key": hex} with the listening sockets,
                  `secure` of them for HTTPS
              {"do": "start", "slot": 0, "name": …} with a descriptor
              {"do": "kill", "pid": 1}                       {"do": "close"}: close the listening sockets
    nursery:  {"started": pid}                               {"ended": pid, "code": 0}

The end of the socket ends the nursery and, by the kernel's hand, its workers.
"""

import gc
import os
import select
import signal
import socket
import sys
from typing import Any, NoReturn

from narthex.runtime.child import die_with_parent
from narthex_router.acceptor import Listeners
from narthex_router.descriptors import receive, send
from narthex_router.ports import share
from narthex_router.tickets import use_ticket_key
from narthex_router.tls import Context, new_context
from narthex_router.worker import WorkerConfig, run_worker

WAKES = 4096  # bytes of the wake-up socket read at once; each stands for a child that ended


class Nursery:
    """Forks workers, reaps them, and says so."""

    def __init__(self, main: socket.socket) -> None:
        self._main = main
        self._config: dict[str, Any] = {}
        self._workers = 0
        self._secure: list[socket.socket] = []
        self._plain: list[socket.socket] = []
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
                woken.recv(WAKES)
                self._reap()
            if self._main in ready:
                received = receive(self._main)
                if received is None:
                    return
                self._obey(*received)

    def _obey(self, message: dict[str, Any], descriptors: list[int]) -> None:
        match message["do"]:
            case "open":
                self._open(message, descriptors)
            case "start":
                self._start(message["slot"], message["name"], descriptors[0])
            case "kill" if message["pid"] in self._children:
                os.kill(message["pid"], signal.SIGKILL)
            case "close":
                self._close()
            case _:
                pass  # a child that has ended meanwhile

    def _open(self, message: dict[str, Any], descriptors: list[int]) -> None:
        """Take over what all workers will share."""
        self._config, self._workers = message["config"], message["workers"]
        sockets = [socket.socket(fileno=descriptor) for descriptor in descriptors]
        self._secure, self._plain = sockets[: message["secure"]], sockets[message["secure"] :]
        use_ticket_key(self._context, bytes.fromhex(message["ticket_key"]))

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
            listeners = self._listeners(slot)
            config = WorkerConfig(**{**self._config, "name": name})
            run_worker(config, descriptor, listeners)
            code = 0
        except BaseException:
            sys.excepthook(*sys.exc_info())
        finally:
            os._exit(code)

    def _listeners(self, slot: int) -> Listeners:
        """What one worker accepts from; the others' sockets are closed in its process."""
        secure, plain = share(self._secure, slot, self._workers), share(self._plain, slot, self._workers)
        for each in (*self._secure, *self._plain):
            if each not in secure and each not in plain:
                each.close()
        return Listeners(tuple(secure), tuple(plain), self._context)

    def _close(self) -> None:
        for each in (*self._secure, *self._plain):
            each.close()
        self._secure, self._plain = [], []

    def _reap(self) -> None:
        for pid in list(self._children):
            found, status = os.waitpid(pid, os.WNOHANG)
            if found:
                self._children.discard(pid)
                self._say(ended=pid, code=os.waitstatus_to_exitcode(status))

    def _say(self, **message: Any) -> None:
        try:
            send(self._main, message)
        except OSError:
            pass  # the main process is gone: the next read says so


def main() -> None:
    """`python -P -m narthex_router.nursery <descriptor of the socket to the main process>`"""
    # Ctrl-C and SIGTERM go to the main process, which drains the workers in order.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    Nursery(socket.socket(fileno=int(sys.argv[1]))).run()


if __name__ == "__main__":
    main()
