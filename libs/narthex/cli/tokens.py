"""`narthex tokens`: one's own."""

from datetime import UTC, datetime
from typing import Annotated

import typer

from narthex.cli.moments import ahead
from narthex.cli.options import Expires, Json
from narthex.cli.output import Column, notice, show_list, show_one
from narthex.cli.session import connect
from narthex.client.client import Client
from narthex.contracts.api import TokenDetail
from narthex.contracts.errors import NotFound

app = typer.Typer(no_args_is_help=True, help="Your own tokens; those of programs belong to `service-users`.")

Token = Annotated[str, typer.Argument(help="Id, or name where only one is called so.")]
ONCE = "the token is shown only now"

COLUMNS: list[Column[TokenDetail]] = [
    Column("NAME", lambda token: token.name, flexible=True),
    Column("ID", lambda token: token.id),
    Column("CREATED", lambda token: token.creation_date, wide=True),
    Column("EXPIRES", lambda token: token.expiry_date),
    Column("LAST USED", lambda token: token.token_last_used, wide=True),
]


@app.command("list")
def list_tokens(context: typer.Context, json: Json = False) -> None:
    """Your tokens, without their texts."""
    with connect(context) as api:
        show_list(api.tokens.list(), COLUMNS, json)


@app.command("create")
def create_token(
    context: typer.Context,
    name: Annotated[str, typer.Option(help="What it is for.")] = "",
    expires: Expires = None,
    json: Json = False,
) -> None:
    """A token with all your permissions, shown once."""
    until = ahead(expires, datetime.now(UTC))
    with connect(context) as api:
        show_one(api.tokens.create(name, expires=until), json)
    notice(ONCE)


@app.command("reset")
def reset_token(context: typer.Context, token: Token, expires: Expires = None, json: Json = False) -> None:
    """Another token with the same name and expiry, shown once; then the one before is revoked."""
    until = ahead(expires, datetime.now(UTC))
    with connect(context) as api:
        before = _meant(api, token)
        show_one(api.tokens.create(before.name, expires=until or before.expiry_date), json)
        notice(ONCE)
        api.tokens.delete(before.id)
    notice(f"revoked token {before.id}")


@app.command("revoke")
def revoke_token(context: typer.Context, token: Token) -> None:
    """Make a token useless: within a second no router takes it any more."""
    with connect(context) as api:
        found = _meant(api, token)
        api.tokens.delete(found.id)
    notice(f"revoked token {found.name or found.id}")


def _meant(api: Client, text: str) -> TokenDetail:
    tokens = api.tokens.list()
    found = [token for token in tokens if token.id == text] or [token for token in tokens if token.name == text]
    if len(found) > 1:
        raise NotFound(f"several tokens are called {text!r}; give an id")
    if not found:
        raise NotFound(f"there is no token {text}")
    return found[0]
