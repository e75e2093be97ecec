"""Everything that somebody could try on the bus and in the table with credentials that are not theirs."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from narthex.bus.permissions import ROLES
from narthex.bus.streams import DEAD_LETTER_PREFIX, DEAD_LETTERS, EVENTS, REQUESTS
from narthex.contracts import queries
from narthex.contracts.events import BY_SUBJECT

_STREAMS = (EVENTS.name, REQUESTS.name, DEAD_LETTERS.name)


def nats_subjects() -> list[str]:
    """Subjects without wildcards, of ours and of the server's own."""
    subjects = [*BY_SUBJECT, *queries.AUDIT_SUBJECTS, *queries.CERTIFICATE_SUBJECTS]
    subjects += [queries.SNAPSHOT_SUBJECT, queries.LIMIT_USE_SUBJECT]
    for part in ROLES:
        subjects += [f"_INBOX_{part}.abc", f"{DEAD_LETTER_PREFIX}.{part}"]
        for stream in _STREAMS:
            subjects += [
                f"$JS.API.CONSUMER.{verb}.{stream}.{part}"
                for verb in ("DURABLE.CREATE", "CREATE", "MSG.NEXT", "RESET", "DELETE", "INFO")
            ]
            subjects.append(f"$JS.ACK.{stream}.{part}.1.1.1.1.1")
    for stream in _STREAMS:
        subjects += [f"$JS.API.STREAM.{verb}.{stream}" for verb in ("CREATE", "UPDATE", "INFO", "DELETE", "PURGE")]
        subjects += [f"$JS.API.STREAM.MSG.{verb}.{stream}" for verb in ("GET", "DELETE")]
        subjects += [f"$JS.API.DIRECT.GET.{stream}", f"$JS.API.STREAM.SNAPSHOT.{stream}"]
        subjects += [f"$JS.API.CONSUMER.{verb}.{stream}" for verb in ("LIST", "NAMES")]
    subjects += ["$JS.API.INFO", "$JS.API.STREAM.LIST", "$JS.API.STREAM.NAMES", "$JS.API.ACCOUNT.PURGE.x"]
    return [*subjects, "_INBOX.abc", "$SYS.REQ.SERVER.PING", "$SYS.REQ.USER.INFO", "$KV.x.y", "$O.x", "other"]


def matches(pattern: str, subject: str) -> bool:
    """Whether a subject is one of a pattern's: `*` is a token, a last `>` one or more."""
    wanted, tokens = pattern.split("."), subject.split(".")
    if wanted[-1] == ">":
        wanted.pop()
        if len(tokens) <= len(wanted):
            return False
        tokens = tokens[: len(wanted)]
    return len(wanted) == len(tokens) and all(each in ("*", token) for each, token in zip(wanted, tokens, strict=True))


@dataclass
class Line:
    """A connection that speaks NATS word by word: a client would give up or connect anew when it is refused."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    refused: list[str]  # what was said of the credentials

    async def say(self, command: str) -> list[str]:
        """What the server refuses of it, in lower case; it answers a PING after all that came before."""
        self.writer.write(f"{command}PING\r\n".encode())
        refused = []
        while (line := await self.reader.readline()) not in (b"PONG\r\n", b""):
            if line.startswith(b"-ERR"):
                refused.append(line.decode().lower())
        return refused


@asynccontextmanager
async def connected(port: int, user: str, password: str) -> AsyncIterator[Line]:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        line = Line(reader, writer, [])
        await reader.readline()  # INFO
        about = {"user": user, "pass": password, "verbose": False, "pedantic": False, "lang": "test", "version": "1"}
        line.refused = await line.say(f"CONNECT {json.dumps(about)}\r\n")
        yield line
    finally:
        writer.close()


_COMMANDS = """
    FLUSHALL | FLUSHDB | KEYS * | SCAN 0 | CONFIG GET * | CONFIG SET dir / | DEBUG SLEEP 0 | MODULE LIST |
    SHUTDOWN | SAVE | BGSAVE | BGREWRITEAOF | ACL LIST | ACL SETUSER x | MONITOR | SLAVEOF NO ONE |
    REPLICAOF NO ONE | CLIENT LIST | CLIENT KILL ID 1 | EVAL return 1 0 | SCRIPT FLUSH | SCRIPT KILL |
    FUNCTION LOAD x | FUNCTION FLUSH | SWAPDB 0 1 | MIGRATE h 1 nx:changes 0 1 | RENAME nx:changes nx:epoch |
    RESTORE nx:changes 0 x | DUMP nx:changes | LATENCY DOCTOR | MEMORY DOCTOR | SLOWLOG GET | INFO | DBSIZE |
    PUBLISH c m | SUBSCRIBE c | WAIT 0 0 | SORT nx:changes | OBJECT HELP | CLUSTER INFO | FAILOVER |
    PSYNC ? -1 | COPY nx:a nx:b | HGETDEL nx:table:service FIELDS 1 x | XTRIM nx:changes MAXLEN 0 |
    UNLINK nx:changes
"""
VALKEY_FORBIDDEN = [command.split() for command in _COMMANDS.replace("\n", " ").split("|")]
