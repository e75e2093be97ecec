"""HTTP statuses that a health check takes for a good answer."""

import pytest

from narthex.contracts.statuses import ANY_GOOD, expects, parse_statuses, ranges


@pytest.mark.parametrize(
    ("text", "canonical"),
    [("200-399", "200-399"), ("200", "200"), ("200, 204 ,301-301", "200,204,301"), ("100-599", "100-599")],
)
def test_statuses_and_ranges_have_one_form(text: str, canonical: str) -> None:
    assert parse_statuses(text) == canonical


@pytest.mark.parametrize(
    "text", ["", ",", "2xx", "99", "600", "399-200", "200-", "-200", "200-300-400", "２００", "200\n", "+200", "0200"]
)
def test_what_is_no_status_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="must be statuses from 100 to 599"):
        parse_statuses(text)


def test_there_is_an_end_to_the_list() -> None:
    with pytest.raises(ValueError, match="at most 20 parts"):
        parse_statuses(",".join(["200"] * 21))


@pytest.mark.parametrize(("status", "expected"), [(199, False), (200, True), (399, True), (400, False)])
def test_a_status_is_in_its_range_or_not(status: int, expected: bool) -> None:
    assert expects(ranges(ANY_GOOD), status) is expected
