"""The ways to be slow, each as the command that is slow so, and what must become of it."""

import sys
from dataclasses import dataclass
from pathlib import Path

from bench.slow.site import IDLE_S, Site
from narthex_router.bounds import Bounds

BOUNDS = Bounds()
SWEEPS_S = 3.0  # a sweep is late at most so much on a full machine; and slowhttptest looks once a second
SMALL_KIB = 24.0  # of resident memory for a connection that holds no more than a head
HANDSHAKE_KIB = 64.0  # OpenSSL's buffers


@dataclass(frozen=True)
class Crowd:
    """So many clients of one kind."""

    title: str
    mode: str  # of slowhttptest, or a kind of `bench.slow.crowd`
    options: tuple[str, ...] = ()
    path: str = "/"
    secure: bool = False
    live: bool = False  # at the instance that takes uploads and WebSockets
    stays: bool = True  # it is not done after an answer
    ends_s: float | None = None  # the router's time for such a client; None: it may stay
    each_kib: float = SMALL_KIB

    def command(self, site: Site, count: int, seconds: int) -> list[str]:
        host = site.good.live_host if self.live else site.open_host
        if not self.mode.startswith("-"):
            port = site.https_port if self.secure else site.http_port
            ours = [sys.executable, "-P", str(Path(__file__).with_name("crowd.py")), self.mode]
            return [*ours, host, str(port), str(count), str(seconds)]
        many = ["-c", str(count), "-r", str(count // 2), "-l", str(seconds), "-p", "5"]
        # As a proxy's client, it names any host without a resolver; its requests have the absolute form.
        where = ["-d", f"127.0.0.1:{site.http_port}", "-u", f"http://{host}{self.path}"]
        return ["slowhttptest", self.mode, *many, *self.options, *where]


# A writer that the client does not read from has what is ours to hold, and what a read of the instance brought more.
READERS_KIB = (BOUNDS.buffer * 2.5) / 1024
CROWDS = {
    "headers": Crowd("slow headers (slowhttptest -H)", "-H", ("-i", "2", "-x", "16"), ends_s=BOUNDS.head_s),
    "bodies": Crowd(
        "slow bodies (slowhttptest -B)",
        "-B",
        ("-i", "5", "-x", "16", "-s", "1000000"),
        "/live/sink",
        live=True,
        ends_s=BOUNDS.body_s,
    ),
    "reads": Crowd(
        "slow reads of large answers (slowhttptest -X)",
        "-X",
        ("-n", "1", "-z", "32", "-w", "256", "-y", "1024"),
        "/bulk",
        ends_s=IDLE_S,
        each_kib=READERS_KIB,
    ),
    "ranges": Crowd("ranges (slowhttptest -R)", "-R", ("-a", "5", "-b", "3000"), stays=False),
    "readers": Crowd(
        "readers of 16 bytes a second of an endless answer", "readers", ends_s=IDLE_S, each_kib=READERS_KIB
    ),
    "silent": Crowd("connections that say nothing", "silent", ends_s=BOUNDS.head_s),
    "handshakes": Crowd(
        "TLS handshakes that never begin", "silent", secure=True, ends_s=BOUNDS.head_s, each_kib=HANDSHAKE_KIB
    ),
    "half-handshakes": Crowd(
        "halves of a ClientHello", "half-hello", secure=True, ends_s=BOUNDS.head_s, each_kib=HANDSHAKE_KIB
    ),
    "websockets": Crowd("WebSockets that send a byte a second", "websockets", live=True),
}
