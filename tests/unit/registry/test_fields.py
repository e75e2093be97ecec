"""Absent keeps, null clears, required cannot be cleared; label filters."""

from typing import Any

import pytest

from narthex.contracts import api
from narthex.contracts.errors import Forbidden, Invalid
from narthex_registry.fields import given, matches_labels
from narthex_registry.policy import DEFAULTS, refers, service_values
from narthex_registry.versions import merged, split


def update(**fields: object) -> api.ServiceUpdate:
    return api.ServiceUpdate.model_validate(fields)


def test_only_the_fields_that_a_body_mentions_change() -> None:
    assert given(update(port=2000), required=("name",), defaults=DEFAULTS) == {"port": 2000}


def test_a_null_gives_a_field_its_default() -> None:
    body = update(rate_limit=None, description=None, labels=None, authentication_required=None)
    assert given(body, required=("name",), defaults=DEFAULTS) == {
        "rate_limit": None,
        "description": "",
        "labels": {},
        "authentication_required": True,
    }


def test_a_required_field_cannot_be_cleared() -> None:
    with pytest.raises(Invalid, match="port: is required and cannot be cleared"):
        service_values(update(port=None), allow_public=False)


def test_the_old_name_of_the_user_limit_is_understood() -> None:
    assert service_values(update(rate_limit_token=5), allow_public=False) == {"rate_limit_user_default": 5}


def test_todays_name_of_the_user_limit_wins_over_the_old_one() -> None:
    body = update(rate_limit_token=5, rate_limit_user_default=7)
    assert service_values(body, allow_public=False) == {"rate_limit_user_default": 7}


def test_clearing_by_the_old_name_clears() -> None:
    assert service_values(update(rate_limit_token=None), allow_public=False) == {"rate_limit_user_default": None}


def test_a_reserved_name_is_refused() -> None:
    with pytest.raises(Invalid, match="name: www is reserved"):
        service_values(update(name="www"), allow_public=False)


def test_a_public_service_is_refused_unless_the_installation_allows_it() -> None:
    with pytest.raises(Forbidden, match="authentication_required"):
        service_values(update(authentication_required=False), allow_public=False)
    assert service_values(update(authentication_required=False), allow_public=True) == {
        "authentication_required": False
    }


def test_a_pattern_that_the_router_cannot_match_in_linear_time_is_refused() -> None:
    with pytest.raises(Invalid, match="request_logging_excluded_paths: must be an RE2 regular expression"):
        service_values(update(request_logging_excluded_paths="(?=x)"), allow_public=False)


def test_another_kind_of_service_is_refused() -> None:
    with pytest.raises(Invalid, match="type: must be deployment or imported"):
        service_values(update(type="external"), allow_public=False)


@pytest.mark.parametrize(
    ("given", "error"),
    [
        ({}, "deployment: is required"),
        ({"type": "imported"}, "imported_name: is required"),
        ({"type": "imported", "imported_name": "web"}, "imported_namespace: is required"),
        ({"type": "imported", "deployment": "hello"}, "deployment: must be left out"),
        ({"type": "imported", "version": "v1"}, "version: must be left out"),
    ],
)
def test_a_new_service_says_what_is_behind_it(given: dict[str, str], error: str) -> None:
    values = DEFAULTS | given
    if len(given) == 2 and "imported_name" not in given:
        values |= {"imported_name": "web", "imported_namespace": "shop"}
    with pytest.raises(Invalid, match=error):
        refers(values)


def test_what_answers_show_as_the_deployment_of_an_imported_service_may_come_back() -> None:
    values = DEFAULTS | {"type": "imported", "imported_name": "web", "imported_namespace": "shop", "deployment": "web"}
    refers(values)
    assert "deployment" not in values


def test_the_settings_of_a_version_keep_what_is_not_mentioned_and_lose_what_is_cleared() -> None:
    assert merged({"instance_type": "a", "command": ["x"]}, {"command": None, "maximum_instances": 2}) == {
        "instance_type": "a",
        "maximum_instances": 2,
    }


def test_the_smallest_number_of_instances_cannot_be_above_the_largest() -> None:
    with pytest.raises(Invalid, match="minimum_instances: must not be more than maximum_instances"):
        merged({"maximum_instances": 2}, {"minimum_instances": 3})


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({"environment": "python3-12"}, {"environment_name": "python3-12"}),
        ({"environment": "mine:v2"}, {"environment_name": "mine", "environment_tag": "v2"}),
        ({"environment": "old", "environment_name": "new"}, {"environment_name": "new"}),
        ({"environment": None}, {}),
    ],
)
def test_the_old_name_of_the_environment_is_understood(settings: dict[str, Any], expected: dict[str, str]) -> None:
    assert merged({"environment_name": "before"}, settings) == expected


def test_the_fields_of_a_version_are_told_apart() -> None:
    assert split({"version": "v1", "labels": {"a": "b"}, "command": "x"}) == (
        {"labels": {"a": "b"}, "name": "v1"},
        {"command": "x"},
    )


@pytest.mark.parametrize(
    ("wanted", "selected"),
    [("", True), ("team:red", True), ("team:blue", False), ("team:blue,tier:1", True), ("team", False), (",", True)],
)
def test_one_matching_label_selects(wanted: str, selected: bool) -> None:
    assert matches_labels({"team": "red", "tier": "1"}, wanted) is selected
