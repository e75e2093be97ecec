"""Where others may refuse what we serve, each with the reason. What is not listed here must be read alike."""

import re
from collections.abc import Callable, Sequence

from attacks.readers import Reading, Request, h11_requests, llhttp_requests

# An expression for the other's words, one for what the message must hold to be that case, and why we go on.
Exceptions = tuple[tuple[str, bytes, str], ...]

LLHTTP_REQUESTS: Exceptions = (
    (
        "Invalid method encountered|Expected space after method",
        rb"(?:^|\n|[^\n])[!#$%&'*+\-.^_`|~0-9A-Za-z]+ \S+ HTTP/1\.[01]\r\n",
        "it knows a list of methods; any token is one (RFC 9110 section 9.1)",
    ),
    (
        "Invalid character in chunk (extensions|size)",
        rb"\n[0-9A-Fa-f]{1,16}[^\r\n]*(?:[ \t];|;[ \t]|[ \t]=|=[ \t])",
        "it takes no space around `;` and `=`; RFC 9112 section 7.1.1 tells us to",
    ),
    (
        "Request has invalid `Transfer-Encoding`",
        rb"(?i)\ntransfer-encoding:[ \t]*chunked *\t",
        "it takes a tab after `chunked` for part of it; it is optional whitespace",
    ),
    (
        "Data after `Connection: close`",
        rb"(?i)\nproxy-connection:[ \t]*close",
        "it takes Proxy-Connection for Connection; that field was never in a standard",
    ),
)
H11_REQUESTS: Exceptions = (
    (
        "no request line received",
        rb"(?:^|[^\n]|\n)\r\n\r\n",
        "it skips one empty line before a request; RFC 9112 section 2.2 says at least one",
    ),
    (
        "illegal chunk header",
        rb"\n[0-9A-Fa-f]{1,16}[ \t]+;",
        "it takes no space before `;`; RFC 9112 section 7.1.1 tells us to",
    ),
)

LLHTTP_RESPONSES: Exceptions = LLHTTP_REQUESTS[1:3]
H11_RESPONSES: Exceptions = H11_REQUESTS[1:]

_ABSOLUTE = re.compile(rb"\A[Hh][Tt][Tt][Pp][Ss]?://[^/]*(?:/)?")

Heard = tuple[bytes, bytes, bytes]


def as_forwarded(request: Request) -> Heard:
    """Method, target and body; the absolute form as we send it on (RFC 9112 sections 3.2.2, 3.2.4)."""
    whole_server = request.method == b"OPTIONS" and re.fullmatch(rb"[Hh][Tt][Tt][Pp][Ss]?://[^/?#]*", request.target)
    target = b"*" if whole_server else _ABSOLUTE.sub(b"/", request.target, count=1)
    return request.method, target, request.body


def excused(reading: Reading, data: bytes, exceptions: Exceptions) -> bool:
    return any(re.search(words, reading.refused) and re.search(case, data) for words, case, _ in exceptions)


_READERS: tuple[tuple[Callable[[bytes], Reading], Exceptions], ...] = (
    (h11_requests, H11_REQUESTS),
    (llhttp_requests, LLHTTP_REQUESTS),
)


def disagreements(data: bytes, served: Sequence[Request]) -> list[str]:
    """How h11 and llhttp read a client's bytes, where it is not as we did when we served these requests."""
    ours = [(request.method, request.target, request.body) for request in served]
    found: list[str] = []
    for read, exceptions in _READERS if served else ():
        reading = read(data)
        theirs = [as_forwarded(request) for request in reading.requests[: len(ours)]]
        if reading.upgraded:
            # llhttp hands over to any protocol that Upgrade names; we go on with HTTP until an instance says 101.
            if [heard[:2] for heard in theirs] == [heard[:2] for heard in ours[: len(theirs)]]:
                continue
        elif theirs == ours or (excused(reading, data, exceptions) and theirs == ours[: len(theirs)]):
            continue
        found.append(f"{read.__name__}: {theirs} {reading.refused}, ours {ours}")
    return found
