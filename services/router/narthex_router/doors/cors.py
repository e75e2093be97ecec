"""Cross-origin requests: which pages may read a service's answers, as the Fetch standard has it. Pure.

The router speaks for the service: it answers preflights, which carry no credential, and says in each answer what
the page may do with it. What the application says itself is taken out: two answers are none.
"""

from narthex_router.doors.policy import Cors

VARY = b"vary: Origin\r\n"


def allowed_origin(cors: Cors, origin: bytes) -> bytes:
    """What is said to a page of this origin; empty when it may not."""
    text = origin.decode("latin-1")
    if text in cors.origins:
        return origin
    if "*" in cors.origins:
        # With credentials the standard knows no `*`, and to say each origin instead would let every site in.
        return b"" if cors.credentials else b"*"
    return b""


def preflight_lines(cors: Cors, origin: bytes, headers: bytes) -> bytes:
    """The answer to a preflight; `headers`: what the page wants to send. A page that may not gets no permission."""
    allowed = allowed_origin(cors, origin)
    if not allowed:
        return VARY
    wanted = headers if "*" in cors.headers else ", ".join(cors.headers).encode("ascii")
    lines = [
        b"access-control-allow-origin: %b\r\n" % allowed,
        b"access-control-allow-methods: %b\r\n" % ", ".join(cors.methods).encode("ascii"),
        b"access-control-max-age: %d\r\n" % cors.max_age,
        b"vary: Origin, Access-Control-Request-Method, Access-Control-Request-Headers\r\n",
    ]
    if wanted:
        lines.append(b"access-control-allow-headers: %b\r\n" % wanted)
    if cors.credentials:
        lines.append(b"access-control-allow-credentials: true\r\n")
    return b"".join(lines)


def answer_lines(cors: Cors, origin: bytes) -> bytes:
    """What each other answer to a page of this origin says."""
    allowed = allowed_origin(cors, origin) if origin else b""
    if not allowed:
        return VARY
    lines = b"access-control-allow-origin: %b\r\n" % allowed + VARY
    if cors.exposed:
        lines += b"access-control-expose-headers: %b\r\n" % ", ".join(cors.exposed).encode("ascii")
    if cors.credentials:
        lines += b"access-control-allow-credentials: true\r\n"
    return lines


def without_cors(forward: bytes) -> bytes:
    """An answer's fields but those in which the application says the same."""
    lines = forward.split(b"\r\n")
    return b"".join(line + b"\r\n" for line in lines if line and not line.lower().startswith(b"access-control-"))
