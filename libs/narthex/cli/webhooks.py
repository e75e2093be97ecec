"""`narthex webhooks`: calls to an address of yours when something happens."""

from itertools import islice
from typing import Annotated

import typer

from narthex.cli import complete
from narthex.cli.fields import Changes, switch, taking, text, whole
from narthex.cli.options import Json, Limit, Project, parse_labels
from narthex.cli.output import Column, notice, show_list, show_one
from narthex.cli.session import body, connect
from narthex.contracts.api import WebhookCall, WebhookCreate, WebhookDetail, WebhookUpdate

app = typer.Typer(no_args_is_help=True, help="Webhooks: calls to an address of yours when something happens.")

Name = Annotated[str, typer.Argument(help="The webhook's name.", autocompletion=complete.webhooks)]
Label = Annotated[list[str] | None, typer.Option("--label", metavar="KEY=VALUE", help="A label; repeatable.")]
Header = Annotated[
    list[str] | None, typer.Option("--header", metavar="KEY=VALUE", help="Of the calls, never shown again; repeatable.")
]

FIELDS = (
    text("description", "description", "Free text, 400 characters at most."),
    whole("seconds", "timeout", "How long an answer may take.", metavar="SECONDS"),
    switch("enabled", "enabled", "--enabled/--disabled", "Whether it is called."),
    switch("retry", "retry", "--retry/--no-retry", "Whether calls that fail are made again."),
    switch("include_result", "include_result", "--include-result/--no-include-result", "Of a request, in the call."),
)

COLUMNS: list[Column[WebhookDetail]] = [
    Column("NAME", lambda webhook: webhook.name),
    Column("EVENT", lambda webhook: webhook.event),
    Column("OF", lambda webhook: f"{webhook.object_type} {webhook.object_name}", wide=True),
    Column("ENABLED", lambda webhook: webhook.enabled, wide=True),
    Column("URL", lambda webhook: webhook.url, flexible=True),
]

CALLS: list[Column[WebhookCall]] = [
    Column("TIME", lambda call: call.created),
    Column("EVENT", lambda call: call.event),
    Column("STATUS", lambda call: call.status),
    Column("ANSWER", lambda call: call.response_status),
    Column("ATTEMPTS", lambda call: call.attempts, wide=True),
    Column("ERROR", lambda call: call.error, flexible=True),
]


@app.command("list")
def list_webhooks(context: typer.Context, project: Project = None, json: Json = False) -> None:
    """The webhooks of a project."""
    with connect(context, project) as api:
        show_list(api.webhooks.list(), COLUMNS, json)


@app.command("get")
def get_webhook(context: typer.Context, name: Name, project: Project = None, json: Json = False) -> None:
    """One webhook."""
    with connect(context, project) as api:
        show_one(api.webhooks.get(name), json)


@app.command("create")
@taking(FIELDS)
def create_webhook(
    context: typer.Context,
    name: Annotated[str, typer.Argument(help="The webhook's name.")],
    url: Annotated[str, typer.Option(help="What is called.")],
    event: Annotated[str, typer.Option(help="When.")],
    changes: Changes,
    service: Annotated[str | None, typer.Option(help="Of this one; `*`: of all.")] = None,
    deployment: Annotated[str | None, typer.Option(help="Of this one; `*`: of all.")] = None,
    version: Annotated[str | None, typer.Option("--version", help="Of the deployment.")] = None,
    header: Header = None,
    label: Label = None,
    project: Project = None,
    json: Json = False,
) -> None:
    """Make a webhook and show what its calls are signed with, once."""
    wanted = body(
        WebhookCreate,
        changes,
        name=name,
        url=url,
        event=event,
        object_type="deployment" if deployment is not None else "service",
        object_name=deployment or service or "*",
        version=version,
        headers=_headers(header),
        labels=parse_labels(label),
    )
    with connect(context, project, deployment=deployment, service=service) as api:
        show_one(api.webhooks.create(wanted), json)


@app.command("update")
@taking(FIELDS)
def update_webhook(
    context: typer.Context,
    name: Name,
    changes: Changes,
    new_name: Annotated[str | None, typer.Option(help="Rename it.")] = None,
    url: Annotated[str | None, typer.Option(help="What is called.")] = None,
    event: Annotated[str | None, typer.Option(help="When.")] = None,
    header: Header = None,
    label: Label = None,
    project: Project = None,
    json: Json = False,
) -> None:
    """Change what is given; headers and labels replace the old ones."""
    wanted = body(
        WebhookUpdate,
        changes,
        name=new_name,
        url=url,
        event=event,
        headers=_headers(header),
        labels=parse_labels(label),
    )
    with connect(context, project) as api:
        show_one(api.webhooks.update(name, wanted), json)


@app.command("delete")
def delete_webhook(context: typer.Context, name: Name, project: Project = None) -> None:
    """Remove a webhook."""
    with connect(context, project) as api:
        api.webhooks.delete(name)
    notice(f"deleted webhook {name}")


@app.command("calls")
def list_calls(
    context: typer.Context, name: Name, limit: Limit = 50, project: Project = None, json: Json = False
) -> None:
    """Its calls, newest first, and how they went."""
    with connect(context, project) as api:
        show_list(islice(api.webhooks.calls(name, page=min(limit, 100)), limit), CALLS, json)


def _headers(texts: list[str] | None) -> list[dict[str, object]] | None:
    pairs = parse_labels(texts, "--header")
    return [{"key": key, "value": value, "protected": True} for key, value in pairs.items()] if pairs else None
