"""What has to be written so that the routing table is right."""

import pytest

from narthex.routing import Entry, Kind
from narthex_certs.table import corrections, overtaken


def entry(key: str = "ours", revision: int = 3, payload: bytes | None = b"cert") -> Entry:
    return Entry(Kind.CERTIFICATE, key, revision, 0, payload)


WANTED = entry()


@pytest.mark.parametrize(
    ("held", "writes"),
    [
        ([WANTED], []),
        ([], [WANTED]),
        ([entry(revision=2, payload=b"old")], [WANTED]),
        ([WANTED, entry("earlier domain", 7)], [entry("earlier domain", 8, None)]),
        ([WANTED, entry("earlier domain", 8, None)], []),
    ],
)
def test_it_writes_what_is_missing_and_buries_what_is_not_ours(held, writes):
    assert sorted(corrections({"ours": WANTED}, held)) == sorted(writes)


@pytest.mark.parametrize(
    ("held", "above"),
    [
        ([], None),
        ([WANTED], None),
        ([entry(revision=2, payload=b"old")], None),
        ([entry(revision=3, payload=b"other")], 3),
        ([entry(revision=9, payload=b"other")], 9),
        ([entry(revision=9, payload=None)], 9),
        ([entry("another", revision=9)], None),
    ],
)
def test_a_table_that_is_newer_than_our_files_is_noticed(held, above):
    assert overtaken(WANTED, held) == above
