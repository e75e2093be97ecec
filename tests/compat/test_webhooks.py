"""Webhooks (UBIOPS_API section 11)."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
import ubiops
from compat.application import Application, application
from compat.stage import HOOKS, Served, Stage
from compat.stock import fresh, gone, refused

from narthex.testing.waiting import eventually_sync

URL = "https://hooks.example.com/ubiops"


def asked(deployment: str, **more: Any) -> ubiops.WebhookCreate:
    """A webhook for the requests of a deployment."""
    fields = {
        "name": fresh("hook"),
        "object_type": "deployment",
        "object_name": deployment,
        "url": URL,
        "event": "deployment_request_completed",
        **more,
    }
    return ubiops.WebhookCreate(**fields)


def test_a_webhook_is_created_shown_changed_and_deleted(stage: Stage) -> None:
    core, deployment, renamed = stage.core, stage.deployment(), fresh("hook")
    stage.version(deployment)
    secret = ubiops.WebhookHeader(key="Authorization", value="Bearer hush", protected=True)
    plain = ubiops.WebhookHeader(key="X-Team", value="red", protected=False)
    data = asked(
        deployment,
        version="v1",
        headers=[secret, plain],
        description="tells us",
        labels={"team": "red"},
        timeout=5,
        enabled=False,
        retry=True,
        include_result=True,
    )
    made = core.webhooks_create(stage.project, data)
    for name in ("object_type", "object_name", "version", "url", "event", "description", "labels", "timeout"):
        assert getattr(made, name) == getattr(data, name)
    assert (made.enabled, made.retry, made.include_result) == (False, True, True)
    headers = {header.key: header for header in made.headers}
    assert headers["X-Team"].value == "red"
    assert headers["Authorization"].protected is True
    assert headers["Authorization"].value != "Bearer hush"
    assert core.webhooks_get(stage.project, data.name).to_dict() == made.to_dict()
    change = ubiops.WebhookUpdate(name=renamed, enabled=True, url=URL + "/2", labels={"team": "blue"})
    changed = core.webhooks_update(stage.project, data.name, change)
    assert (changed.id, changed.name, changed.enabled, changed.url) == (made.id, renamed, True, URL + "/2")
    assert (changed.labels, changed.timeout, changed.event) == ({"team": "blue"}, 5, made.event)
    core.webhooks_delete(stage.project, renamed)
    with gone():
        core.webhooks_get(stage.project, renamed)


def test_a_webhook_has_the_documented_defaults(stage: Stage) -> None:
    made = stage.core.webhooks_create(stage.project, asked(stage.deployment()))
    assert (made.timeout, made.enabled, made.retry, made.include_result) == (10, True, False, False)
    assert (made.headers, made.labels, made.version) == ([], {}, None)


def test_webhooks_are_filtered(stage: Stage) -> None:
    mark, deployment = fresh("mark"), stage.deployment()
    done = stage.core.webhooks_create(stage.project, asked(deployment, labels={"mark": mark}))
    failed = stage.core.webhooks_create(
        stage.project, asked(deployment, labels={"mark": mark}, event="deployment_request_failed")
    )

    def found(**filters: str) -> set[str]:
        return {each.name for each in stage.core.webhooks_list(stage.project, labels=f"mark:{mark}", **filters)}

    assert found() == {done.name, failed.name}
    assert found(event="deployment_request_failed") == {failed.name}
    assert found(object_type="deployment") == {done.name, failed.name}
    assert found(object_type="service") == set()


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"url": "ftp://example.com"}, "url"),
        ({"url": "no url"}, "url"),
        ({"url": "http://169.254.169.254/latest"}, "url"),
        ({"event": "deployment_sneezed"}, "event"),
        ({"object_type": "planet"}, "object_type"),
        ({"object_name": "nowhere"}, "nowhere"),
        ({"timeout": 31}, "timeout"),
        ({"timeout": 0}, "timeout"),
    ],
)
def test_a_webhook_that_breaks_a_rule_is_refused(stage: Stage, change: dict[str, Any], says: str) -> None:
    with refused(400, 404, says=says):
        stage.core.webhooks_create(stage.project, asked(stage.deployment(), **change))


def test_a_webhooks_name_is_taken_once(stage: Stage) -> None:
    deployment = stage.deployment()
    made = stage.core.webhooks_create(stage.project, asked(deployment))
    with refused(400, 409, says=made.name):
        stage.core.webhooks_create(stage.project, asked(deployment, name=made.name))


def test_a_service_can_have_a_webhook_of_ours(stage: Stage) -> None:
    service = stage.service(stage.deployment())
    made = stage.core.webhooks_create(
        stage.project,
        asked("", object_type="service", object_name=service.name, event="service_unhealthy"),
    )
    assert (made.object_type, made.object_name, made.event) == ("service", service.name, "service_unhealthy")


def test_a_test_call_says_how_it_went(stage: Stage) -> None:
    # The name is reserved never to resolve (RFC 2606): the call fails, and says so.
    data = ubiops.WebhookTestCreate(
        object_type="deployment",
        object_name=stage.deployment(),
        url="https://hooks.invalid/",
        event="deployment_request_completed",
        timeout=2,
    )
    made = stage.core.webhook_tests_create(stage.project, data)
    assert made.id

    def ended() -> Any:
        found = stage.core.webhook_tests_get(stage.project, made.id)
        return found if found.status not in ("pending", "processing") else None

    ended_as = eventually_sync(ended)
    assert ended_as.status == "failed"
    assert ended_as.error_message
    with gone():
        stage.core.webhook_tests_get(stage.project, "00000000-0000-0000-0000-000000000000")


@pytest.fixture
def receiver() -> Iterator[Application]:
    """Where webhooks of this installation may go."""
    with application(HOOKS) as running:
        yield running


def test_a_test_call_arrives(stage: Stage, receiver: Application) -> None:
    data = ubiops.WebhookTestCreate(
        object_type="deployment",
        object_name=stage.deployment(),
        url=f"http://{HOOKS}:{receiver.port}/hook",
        headers=[ubiops.WebhookHeader(key="X-Team", value="red", protected=False)],
        event="deployment_request_completed",
    )
    made = stage.core.webhook_tests_create(stage.project, data)
    eventually_sync(lambda: stage.core.webhook_tests_get(stage.project, made.id).status in ("success", "completed"))
    [call] = receiver.seen
    assert (call.method, call.path, call.headers["x-team"]) == ("POST", "/hook", "red")
    assert isinstance(json.loads(call.body), dict)


def test_a_request_through_a_service_calls_its_webhook(served: Served, receiver: Application) -> None:
    core, project = served.stage.core, served.stage.project
    url = f"http://{HOOKS}:{receiver.port}/"
    hooks = {
        event: core.webhooks_create(
            project,
            asked(
                served.deployment,
                url=url + event,
                event=event,
                headers=[ubiops.WebhookHeader(key="Authorization", value="Bearer hush", protected=True)],
            ),
        )
        for event in ("deployment_request_completed", "deployment_request_failed", "deployment_request_finished")
    }
    good = served.stage.call(served.service, "/hello").headers["x-request-id"]
    bad = served.stage.call(served.service, "/status/500").headers["x-request-id"]

    def told() -> set[tuple[str, str]]:
        return {
            (call.path.strip("/"), request_id)
            for call in list(receiver.seen)
            for request_id in (good, bad)
            if request_id in call.body.decode()
        }

    expected = {
        ("deployment_request_completed", good),
        ("deployment_request_failed", bad),
        ("deployment_request_finished", good),
        ("deployment_request_finished", bad),
    }
    eventually_sync(lambda: told() >= expected)
    assert told() == expected
    assert {call.headers["authorization"] for call in receiver.seen} == {"Bearer hush"}
    for hook in hooks.values():
        core.webhooks_delete(project, hook.name)


def test_a_webhook_of_an_internal_address_is_refused(served: Served) -> None:
    url = f"http://127.0.0.1:{served.application.port}/hook"
    with refused(400, 403, says="url"):
        served.stage.core.webhooks_create(served.stage.project, asked(served.deployment, url=url))
