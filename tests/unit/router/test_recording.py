"""What is written down of a service's requests, and what is taken out of it before."""

import json
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from narthex_router.recording import FULL, METADATA, NONE, USUAL, Recording, extensions, recording
from narthex_router.redaction import REDACTED, Redaction, Unreadable

SECRET = "canary-5f1e"
SECRETIVE = Redaction.of(("X-Session",), ("Password", "token"))
JSON = "application/json; charset=utf-8"


def settings(**changed: object) -> Recording:
    defaults: dict[str, object] = {
        "mode": METADATA, "keep_s": 604_800, "sample": 1.0, "excluded_paths": "", "excluded_extensions": (),
        "max_body": 65_536, "redact_headers": (), "redact_fields": (),
    }  # fmt: skip
    return recording(**defaults | changed)  # type: ignore[arg-type]


def logs(made: Recording, path: bytes = b"/a", *types: bytes, id: bytes = b"id") -> bool:
    return made.logs(id, path, types)


def test_services_that_say_nothing_share_what_is_usual() -> None:
    assert settings() is USUAL
    assert USUAL.usual
    assert not USUAL.captures


def test_with_retention_none_nothing_is_logged() -> None:
    assert not logs(settings(mode=NONE))
    assert not settings(mode=NONE, excluded_extensions=("png",)).captures


def test_excluded_paths_are_found_anywhere_in_a_path() -> None:
    made = settings(excluded_paths="(health|quiet)$")
    assert not logs(made, b"/very/quiet")
    assert logs(made, b"/quiet/very")


def test_a_catastrophic_expression_costs_linear_time() -> None:
    assert logs(settings(excluded_paths="(a+)+$"), b"/" + b"a" * 8000 + b"!")


def test_an_expression_that_cannot_be_read_excludes_nothing() -> None:
    assert logs(settings(excluded_paths="(?!a)"))


@pytest.mark.parametrize(
    ("content_type", "extension"),
    [
        (b"application/json", "json"),
        (b"Application/JSON; charset=utf-8", "json"),
        (b"application/problem+json", "json"),
        (b"image/jpeg", "jpg"),
        (b"image/svg+xml", "svg"),
        (b"text/plain", "txt"),
        (b"text/html;charset=x", "html"),
        (b"application/x-yaml", "yaml"),
    ],
)
def test_a_content_type_is_known_by_its_extension(content_type: bytes, extension: str) -> None:
    assert extension in extensions(content_type)
    assert not logs(settings(excluded_extensions=(f".{extension.upper()}",)), b"/a", b"text/css", content_type)
    assert logs(settings(excluded_extensions=("css",)), b"/a", content_type)


def test_a_sample_is_about_its_share_and_the_same_each_time() -> None:
    made = settings(sample=0.1)
    ids = [b"request-%d" % number for number in range(5000)]
    chosen = [id for id in ids if logs(made, id=id)]
    assert 350 < len(chosen) < 650
    assert chosen == [id for id in ids if logs(made, id=id)]
    assert not any(logs(settings(sample=0.0), id=id) for id in ids)


def test_only_full_holds_bodies() -> None:
    assert (settings(mode=FULL, max_body=10).room, settings(excluded_extensions=("png",)).room) == (10, 0)
    assert settings(mode=FULL).captures


def test_headers_that_carry_credentials_are_taken_out_and_those_that_are_named() -> None:
    for name in ("Authorization", "cookie", "SET-COOKIE", "x-session", "X-Api-Key", "Password"):
        assert SECRETIVE.header(name, SECRET) == REDACTED
    assert SECRETIVE.header("accept", "text/html") == "text/html"
    assert SECRETIVE.header("Referer", f"https://a/b?x=1&token={SECRET}") == f"https://a/b?x=1&token={REDACTED}"


@pytest.mark.parametrize(
    "query", [f"password={SECRET}", f"a=1&TOKEN={SECRET}&b", f"user%5Bpassword%5D={SECRET}", f"u.token={SECRET}"]
)
def test_queries_and_forms_lose_the_values_of_named_fields(query: str) -> None:
    assert SECRET not in SECRETIVE.query(query)
    form = SECRETIVE.body(query.encode(), "application/x-www-form-urlencoded", cut=False)
    assert SECRET.encode() not in form


@pytest.mark.parametrize(
    "value",
    [
        {"password": SECRET},
        {"a": [{"b": {"Token": {"deep": SECRET}}}]},
        [{"password": [SECRET]}, 1],
    ],
)
def test_json_loses_the_values_of_named_fields_at_any_depth(value: object) -> None:
    kept = SECRETIVE.body(json.dumps(value).encode(), JSON, cut=False)
    assert SECRET.encode() not in kept
    assert REDACTED.encode() in kept


def test_an_escaped_name_is_the_same_name() -> None:
    assert SECRET.encode() not in SECRETIVE.body(rb'{"\u0070assword":"canary-5f1e"}', JSON, cut=False)


def test_json_without_them_stays_byte_for_byte() -> None:
    content = b'{ "a": 1.50, "b": 12345678901234567890123 }'
    assert SECRETIVE.body(content, JSON, cut=False) == content


def test_each_line_of_a_stream_is_looked_through() -> None:
    stream = f'event: message\ndata: {{"token":"{SECRET}","text":"hi"}}\n\ndata: [DONE]\n\n'.encode()
    kept = SECRETIVE.body(stream, "text/event-stream", cut=False)
    assert SECRET.encode() not in kept
    assert b'"text":"hi"' in kept
    assert kept.endswith(b"data: [DONE]\n\n")


@pytest.mark.parametrize(
    ("content", "content_type", "cut"),
    [
        (f'{{"password":"{SECRET}"'.encode(), JSON, False),
        (f'{{"password":"{SECRET}"}}'.encode(), JSON, True),
        (SECRET.encode(), "text/plain", False),
        (b"\xff\xfe" + SECRET.encode(), "application/octet-stream", False),
        (b"[" * 100_000, JSON, False),
        (b'{"a":' * 300 + b"1" + b"}" * 300, JSON, False),
        (f"data: {SECRET}\n\n".encode(), "text/event-stream", False),
    ],
)
def test_what_cannot_be_read_as_a_whole_is_not_kept(content: bytes, content_type: str, cut: bool) -> None:
    with pytest.raises(Unreadable):
        SECRETIVE.body(content, content_type, cut=cut)


def test_without_named_fields_bodies_stay_as_they_are() -> None:
    assert USUAL.redaction.body(b"\x00\xff{", "image/png", cut=True) == b"\x00\xff{"


ANYTHING = st.one_of(
    st.binary(max_size=200),
    st.recursive(
        st.none() | st.booleans() | st.floats() | st.integers() | st.text(),
        lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(["token", "a", "é"]), inner),
    ).map(lambda value: json.dumps(value).encode()),
)


@given(ANYTHING, st.sampled_from([JSON, "application/x-www-form-urlencoded", "text/event-stream", "text/plain", ""]))
def test_whatever_a_body_is_it_is_kept_or_left_out(content: bytes, content_type: str) -> None:
    for cut in (True, False):
        with suppress(Unreadable):
            assert isinstance(SECRETIVE.body(content, content_type, cut=cut), bytes)


@given(st.text(max_size=200))
def test_whatever_a_query_is_it_is_a_query_after(text: str) -> None:
    assert SECRETIVE.query(text).count("&") == text.count("&")
