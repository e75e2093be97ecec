"""Every wrong body or query gets one sentence that names the field and the rule."""

from typing import Any

import pytest
from pydantic import ValidationError

from narthex.contracts import api
from narthex.contracts.sentences import noun, sentence

SERVICE: dict[str, Any] = {"name": "hello", "deployment": "hello", "port": 8080}


def refused(model: type[api.Request], body: Any) -> str:
    with pytest.raises(ValidationError) as caught:
        model.model_validate(body)
    return sentence(caught.value)


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"port": 80}, "port: must be between 1025 and 65535"),
        ({"port": "8080"}, "port: must be an integer"),
        ({"port": True}, "port: must be an integer"),
        (
            {"name": ""},
            "name: must be 1 to 64 characters of lowercase letters, digits and dashes, starting with a letter",
        ),
        ({"name": None}, "name: must be a string"),
        ({"deployment": ""}, "deployment: must not be empty"),
        ({"colour": "red"}, "colour: is not a field of a service"),
        ({"description": "x" * 401}, "description: must be at most 400 characters"),
        ({"authentication_required": "false"}, "authentication_required: must be true or false"),
        ({"labels": []}, "labels: must be an object"),
        ({"labels": {"team": 1}}, "labels.team: must be a string"),
        ({"rate_limit": 0}, "rate_limit: must be at least 1"),
        ({"rate_limit": 10**10}, "rate_limit: must be at most 1000000000"),
        ({"health_check": {"path": "live"}}, "health_check.path: must start with a single /"),
        ({"health_check": {"speed": 1}}, "health_check.speed: is not a field of a health check"),
        ({"request_logging_excluded_extensions": "png"}, "request_logging_excluded_extensions: must be a list"),
    ],
)
def test_a_wrong_field_of_a_service_is_named_with_its_rule(change: dict[str, Any], expected: str) -> None:
    assert refused(api.ServiceCreate, SERVICE | change) == expected


def test_a_missing_field_is_named() -> None:
    assert refused(api.ServiceCreate, {"deployment": "hello", "port": 8080}) == "name: is required"


def test_a_body_that_is_no_object_is_said_to_be_none() -> None:
    assert refused(api.LeaseRenewal, [1]) == "the body must be a JSON object"


def test_the_words_that_a_pattern_allows_are_listed() -> None:
    assert refused(api.VersionUpdate, {"request_retention_mode": "all"}) == (
        "request_retention_mode: must be none or metadata or full"
    )
    assert refused(api.InstanceUpdate, {"status": "gone"}) == "status: must be stopped"


@pytest.mark.parametrize(
    ("model", "expected"),
    [
        ("ServiceCreate", "a service"),
        ("ServiceUpdate", "a service"),
        ("InstanceCreate", "an instance"),
        ("HealthCheckBody", "a health check"),
        ("LeaseRenewal", "a lease renewal"),
    ],
)
def test_a_request_model_is_called_by_what_it_is_about(model: str, expected: str) -> None:
    assert noun(model) == expected
