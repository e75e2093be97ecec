"""Webhooks of a project: calls to an address of the user's when something happens."""

from narthex.client.call import Call, Listing
from narthex.client.operations.paging import PAGE, by_offset
from narthex.client.operations.paths import Nothing, in_project, labels
from narthex.contracts.api import (
    WebhookCall,
    WebhookCreate,
    WebhookDetail,
    WebhookTest,
    WebhookTestCreate,
    WebhookUpdate,
)


def list_webhooks(
    *,
    object_type: str | None = None,
    event: str | None = None,
    label: dict[str, str] | None = None,
    project: str | None = None,
) -> Call[list[WebhookDetail]]:
    """The webhooks of a project."""
    query = {"object_type": object_type, "event": event, "labels": labels(label)}
    return Call("GET", in_project(project, "webhooks"), list[WebhookDetail], query=query)


def get_webhook(name: str, *, project: str | None = None) -> Call[WebhookDetail]:
    """One webhook by name."""
    return Call("GET", in_project(project, "webhooks", name), WebhookDetail)


def create_webhook(body: WebhookCreate, *, project: str | None = None) -> Call[WebhookDetail]:
    """Make a webhook; `signing_secret` is in this answer and nowhere else."""
    return Call("POST", in_project(project, "webhooks"), WebhookDetail, body=body)


def update_webhook(name: str, body: WebhookUpdate, *, project: str | None = None) -> Call[WebhookDetail]:
    """Change the fields that are set in `body`."""
    return Call("PATCH", in_project(project, "webhooks", name), WebhookDetail, body=body)


def delete_webhook(name: str, *, project: str | None = None) -> Call[None]:
    """Remove a webhook."""
    return Call("DELETE", in_project(project, "webhooks", name), Nothing)


def list_webhook_calls(
    name: str, *, page: int = PAGE, project: str | None = None
) -> Listing[list[WebhookCall], WebhookCall]:
    """The calls of a webhook that are to be made or were made, newest first."""
    path = in_project(project, "webhooks", name, "calls")
    return by_offset(Call("GET", path, list[WebhookCall], query={"limit": page}))


def create_webhook_test(body: WebhookTestCreate, *, project: str | None = None) -> Call[WebhookTest]:
    """Make a call for a try."""
    return Call("POST", in_project(project, "webhooks-tests"), WebhookTest, body=body)


def get_webhook_test(id: str, *, project: str | None = None) -> Call[WebhookTest]:
    """What became of a try."""
    return Call("GET", in_project(project, "webhooks-tests", id), WebhookTest)
