"""Python's own parser traps (THREATS 1.1) stay out of the modules that read what peers send.

The check looks at the source as a tree; what is right in spite of it is on a list with its reason. Each trap has
a sample below that the check must find.
"""

import ast
import importlib
import inspect
import re
from collections.abc import Iterator

import pytest

MODULES = ["http1", "bodies", "downstream", "forwarding", "upstream", "endpoints", "tunnel", "outgoing", "access"]

UNICODE_TRAPS = {"splitlines", "isdigit", "isalpha", "isalnum", "isdecimal", "isnumeric", "isspace", "isidentifier"}
UNICODE_TRAPS |= {"casefold", "title", "capitalize", "expandtabs", "readline", "format_map"}
STRIPPING = {"strip", "lstrip", "rstrip", "split", "rsplit"}
BANNED_IMPORTS = {"urllib", "http", "email", "html", "mimetypes", "cgi", "ipaddress"}

# Expressions that may be tried at the head of a buffer; all others must match the whole of what they judge.
AT_THE_HEAD = {("http1", "REQUEST_LINE"), ("http1", "STATUS_LINE"), ("downstream", "REQUEST_LINE")}
# Searched for in a buffer, not to judge a value: what makes an unfinished head hopeless; the lines of a block
# that was matched as a whole before.
IN_A_BUFFER = {
    ("downstream", "HOPELESS.search"),
    ("upstream", "HOPELESS.search"),
    ("http1", "_FIELD.findall"),
    ("http1", "_RESPONSE_FIELD.findall"),
}
# int() of what a fullmatch with a bounded number of digits let through, in the function that did it.
NUMBERS = {
    ("http1", "read_length", "value"),  # _LENGTH: [0-9]{1,18}
    ("http1", "host_name", "match[2]"),  # _AUTHORITY: [0-9]{1,5}
    ("bodies", "_size_line", "digits"),  # _CHUNK_LINE: [0-9A-Fa-f]{1,16}
    ("http1", "read_response_head", "line[1]"),  # STATUS_LINE: [01]
    ("http1", "read_response_head", "line[2]"),  # STATUS_LINE: three digits
}
# decode() of what a token expression let through, for a sentence about it.
DECODED = {
    ("http1", "read_request_fields", "name.decode('ascii')"),
    ("downstream", "_begin", "method.decode()"),
}


def traps(module: str, source: str) -> list[str]:
    """The traps in a module's source, each with its line."""
    tree = ast.parse(source)
    functions = list(_functions(tree))
    found = [f"{module}:{node.lineno} imports {name}" for node in ast.walk(tree) for name in _banned_imports(node)]
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            inside = [name for name, first, last in functions if first <= node.lineno <= last]
            found += [f"{module}:{node.lineno} {what}" for what in _call_traps(module, inside[-1:], node)]
    return found


def _functions(tree: ast.AST) -> Iterator[tuple[str, int, int]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node.name, node.lineno, node.end_lineno or node.lineno


def _banned_imports(node: ast.AST) -> list[str]:
    names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
    if isinstance(node, ast.ImportFrom):
        names.append(node.module or "")
    return [name for name in names if name.split(".")[0] in BANNED_IMPORTS]


def _call_traps(module: str, inside: list[str], call: ast.Call) -> Iterator[str]:
    text = ast.unparse(call)
    where = inside[0] if inside else ""
    if isinstance(call.func, ast.Name):
        if (
            call.func.id in ("int", "float", "ord", "eval")
            and (module, where, ast.unparse(call.args[0])) not in NUMBERS
        ):
            yield f"{text}: a number must have matched an expression as a whole before; then list it here"
        if call.func.id == "str" and len(call.args) > 1:
            yield f"{text}: bytes stay bytes"
        return
    if not isinstance(call.func, ast.Attribute):
        return
    name, owner = call.func.attr, ast.unparse(call.func.value)
    if name in UNICODE_TRAPS:
        yield f"{text}: knows more line ends, digits or letters than HTTP"
    if name in STRIPPING and not call.args:
        yield f"{text}: takes VT, FF and more for white space; name SP and HTAB"
    if name == "decode" and (module, where, text) not in DECODED:
        yield f"{text}: bytes stay bytes"
    of_re = owner == "re" and name in ("match", "search", "findall", "finditer", "split", "sub")
    at_the_head = name == "match" and (module, owner) not in AT_THE_HEAD
    searched = name in ("search", "findall", "finditer") and (module, f"{owner}.{name}") not in IN_A_BUFFER
    if of_re or at_the_head or searched:
        yield f"{text}: judge values by fullmatch"


def source_of(module: str) -> str:
    return inspect.getsource(importlib.import_module(f"narthex_router.{module}"))


@pytest.mark.parametrize("module", MODULES)
def test_a_module_that_reads_the_wire_has_none_of_pythons_parser_traps(module: str) -> None:
    assert traps(module, source_of(module)) == []


@pytest.mark.parametrize("module", MODULES)
def test_expressions_over_the_wire_are_of_bytes_and_never_end_in_a_dollar(module: str) -> None:
    patterns = [
        value
        for value in vars(importlib.import_module(f"narthex_router.{module}")).values()
        if isinstance(value, re.Pattern)
    ]
    for pattern in patterns:
        assert isinstance(pattern.pattern, bytes), pattern
        assert not _ends_in_dollar(pattern.pattern), pattern  # `$` also matches before a last line feed
        assert re.search(rb"\\[dwsDWSbB]", pattern.pattern) is None, pattern  # `\s` takes VT and FF


def _ends_in_dollar(pattern: bytes) -> bool:
    """Whether there is a `$` that is neither escaped nor in a class."""
    in_class = escaped = False
    for code in pattern:
        if escaped:
            escaped = False
        elif code == 0x5C:
            escaped = True
        elif in_class:
            in_class = code != 0x5D
        elif code == 0x5B:
            in_class = True
        elif code == 0x24:
            return True
    return False


@pytest.mark.parametrize(
    "line",
    [
        "import urllib.parse",
        "from urllib.parse import urlsplit",
        "from http.client import parse_headers",
        "lines = head.splitlines()",
        "ok = value.isdigit()",
        "name = name.decode('latin-1').lower()",
        "value = value.strip()",
        "value = value.rstrip()",
        "method, target, version = line.split()",
        "length = int(value)",
        "size = int(line, 16)",
        "port = float(value)",
        "ok = re.match(rb'[0-9]+', value)",
        "ok = re.search(rb'chunked', value)",
        "ok = _LENGTH.match(value)",
        "ok = _TOKEN.search(value)",
        "text = str(value, 'ascii')",
        "line = stream.readline()",
    ],
)
def test_the_check_finds_each_trap(line: str) -> None:
    assert traps("http1", f"def read(value):\n    {line}\n") != []


def test_the_check_lets_bytes_be_handled_as_bytes() -> None:
    fine = "def read(value):\n    return value.strip(b' \\t').lower(), value.split(b','), _LENGTH.fullmatch(value)\n"
    assert traps("http1", fine) == []


@pytest.mark.parametrize(
    ("pattern", "expected"), [(rb"chunked$", True), (rb"[$]", False), (rb"\$", False), (rb"a", False)]
)
def test_the_check_tells_a_dollar_that_ends_from_one_that_stands_for_itself(pattern: bytes, expected: bool) -> None:
    assert _ends_in_dollar(pattern) is expected
