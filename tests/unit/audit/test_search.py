"""Questions about requests become SQL without a caller's text in it."""

from datetime import UTC, datetime, timedelta, timezone

from narthex.contracts.queries import RequestsQuestion
from narthex_audit.search import MOST_RECORDS, select_losses, select_requests

HOSTILE = "x' OR 1=1; DROP TABLE requests --"


def test_only_what_was_asked_becomes_a_condition() -> None:
    sql, parameters = select_requests(RequestsQuestion(project_id="p", service_id="s"))

    assert " WHERE project_id = {project_id:String} AND service_id = {service_id:String} ORDER BY" in sql
    assert parameters == {"project_id": "p", "service_id": "s", "limit": 50, "offset": 0}


def test_every_filter_of_the_question_reaches_the_query() -> None:
    moment = datetime(2026, 1, 2, 3, 4, 5, 678901, tzinfo=UTC)
    question = RequestsQuestion(
        project_id="p", service_id="s", version_id="v", id="i", since=moment, until=moment, status_from=500,
        status_to=599, code="no_instances", limit=10, offset=20, ids=("i",), search_id="x", failed=True,
        subject_id="u", instance_id="n", method="GET", path_matches="^/", slower_than_ms=1.5,
        body_contains="b", before_time=moment, before_id="i",
    )  # fmt: skip

    sql, parameters = select_requests(question)

    assert set(parameters) == set(RequestsQuestion.model_fields) - {"contents", "losses"}
    assert all(f"{{{name}:" in sql for name in parameters)


def test_losses_are_a_services_own_and_those_of_which_nobody_knows_whose_they_are() -> None:
    sql, parameters = select_losses(RequestsQuestion(project_id=HOSTILE, service_id="s", code="ignored"))

    theirs = "project_id = {project_id:String} AND service_id = {service_id:String}"
    assert f" WHERE ({theirs} OR project_id = '' AND service_id = '') GROUP BY" in sql
    assert parameters == {"project_id": HOSTILE, "service_id": "s"}


def test_no_text_of_a_caller_is_part_of_the_query() -> None:
    sql, parameters = select_requests(
        RequestsQuestion(project_id=HOSTILE, service_id=HOSTILE, version_id=HOSTILE, id=HOSTILE, code=HOSTILE)
    )

    assert "DROP" not in sql
    assert [value for value in parameters.values() if value == HOSTILE] == [HOSTILE] * 5


def test_times_travel_as_exact_microseconds() -> None:
    moment = datetime(2026, 1, 2, 3, 4, 5, 678901, tzinfo=UTC)
    elsewhere = moment.astimezone(timezone(timedelta(hours=-7)))

    for time in (moment, elsewhere, moment.replace(tzinfo=None)):
        assert select_requests(RequestsQuestion(project_id="p", since=time))[1]["since"] == 1767323045678901


def test_a_page_has_a_bound_and_never_a_negative_one() -> None:
    greedy = select_requests(RequestsQuestion(project_id="p", limit=10**9, offset=-5))[1]
    negative = select_requests(RequestsQuestion(project_id="p", limit=-1))[1]

    assert (greedy["limit"], greedy["offset"]) == (MOST_RECORDS, 0)
    assert negative["limit"] == 0
