"""`narthex login`, `logout` and `whoami`: a profile with a token of its own, and the end of both.

The one thing to know: what is kept is a token that can be revoked by itself, never a password or a session. Who
signs in with e-mail and password gets one made for this machine.
"""

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated
from urllib.parse import urlsplit

import typer
from pydantic import BaseModel

from narthex.cli.moments import ahead
from narthex.cli.options import Json
from narthex.cli.output import notice, show_one
from narthex.cli.profiles import find, names
from narthex.cli.secrets import secret
from narthex.cli.session import Session, session_of
from narthex.client.client import Client
from narthex.client.errors import ApiError
from narthex.client.profiles import Flags, Profile, clean, resolve
from narthex.client.stored import LOCAL, StoredProfile, keep_profiles, user_file, user_profiles
from narthex.contracts.api import UserDetail
from narthex.contracts.errors import Misconfigured, NarthexError

USUAL_API = "http://127.0.0.1:8000"


class Credential(BaseModel):
    """A token, and its id if it was made here."""

    token: str
    token_id: str | None = None


class Who(BaseModel):
    """Whom the commands act as, and where."""

    email: str
    id: str
    administrator: bool
    api_url: str
    project: str
    profile: str


def login(
    context: typer.Context,
    api_url: Annotated[str | None, typer.Argument(help=f"The API; asked for if absent. E.g. {USUAL_API}")] = None,
    email: Annotated[str | None, typer.Option(help="Sign in with this address and a password.")] = None,
    password_file: Annotated[
        str | None, typer.Option(metavar="FILE", help="`-` is standard input; else it is asked for.")
    ] = None,
    token_file: Annotated[
        str | None, typer.Option(metavar="FILE", help="A token instead; `-` is standard input, else it is asked for.")
    ] = None,
    expires: Annotated[str, typer.Option(help="When the token made for --email ends: 12h, 90d, or a date.")] = "90d",
    ca_file: Annotated[Path | None, typer.Option(help="The CA to trust, in PEM.")] = None,
    name: Annotated[str | None, typer.Option(help="Of the profile; default: the API's host.")] = None,
    project: Annotated[str | None, typer.Option("--project", "-p", help="That commands act on.")] = None,
) -> None:
    """Remember an API with a token for it, as a profile that commands then use."""
    session = session_of(context)
    url = _address(api_url or session.flags.api_url)
    name = _free(name or urlsplit(url).hostname or url)
    ca_file = ca_file or session.flags.ca_file
    if email is not None:
        kept = _own_token(session, url, ca_file, email, secret("Password", password_file), expires)
    else:
        file = token_file or (str(session.flags.token_file) if session.flags.token_file else None)
        kept = Credential(token=clean(secret("Token", file)))
    with _client(session, url, kept.token, ca_file) as api:
        user = api.account.get()
        chosen = project or _usual_project(api)
    stored = StoredProfile(
        api_url=url,
        token=kept.token,
        token_id=kept.token_id,
        ca_file=ca_file.absolute() if ca_file else None,
        project=chosen,
    )
    _keep(name, stored)
    notice(f"logged in to {url} as {user.email}; profile {name}, project {chosen}")
    _say_what_comes_first(name)


def logout(
    context: typer.Context,
    name: Annotated[
        str | None, typer.Argument(help="The profile; default: the current one.", autocompletion=names)
    ] = None,
    forget: Annotated[
        bool, typer.Option("--forget", help="Drop the profile even if its token cannot be revoked now.")
    ] = False,
) -> None:
    """Drop a profile, and revoke the token that `login` made for it."""
    profiles = user_profiles()
    chosen, stored = find(profiles, name or profiles.current)
    if stored.token_id is not None and stored.token is not None:
        try:
            _revoke(session_of(context), stored, stored.token, stored.token_id)
            notice(f"revoked token {stored.token_id}")
        except NarthexError as error:
            if not forget:
                raise
            notice(f"the token {stored.token_id} is not revoked: {error.message}")
    rest = {each: profile for each, profile in profiles.profiles.items() if each != chosen}
    keep_profiles(profiles.model_copy(update={"profiles": rest, "current": _next(profiles.current, chosen)}))
    notice(f"dropped profile {chosen}")


def whoami(context: typer.Context, json: Json = False) -> None:
    """Whom commands act as, and where that is said."""
    session = session_of(context)
    profile = session.profile()
    with Client.from_profile(profile, transport=session.transport) as api:
        show_one(_who(api.account.get(), profile), json)


def _who(user: UserDetail, profile: Profile) -> Who:
    return Who(
        email=user.email,
        id=user.id,
        administrator=user.administrator,
        api_url=profile.api_url,
        project=profile.project,
        profile=profile.source,
    )


@contextmanager
def _client(session: Session, url: str, token: str | None, ca_file: Path | None) -> Iterator[Client]:
    with Client(url, token, ca_file=ca_file, transport=session.transport) as api:
        yield api


def _address(given: str | None) -> str:
    if given is not None:
        return given
    text: str = typer.prompt("API", default=USUAL_API, err=True)
    return text


def _own_token(session: Session, url: str, ca_file: Path | None, email: str, password: str, expires: str) -> Credential:
    """Sign in, have a token made for this machine, and sign out again: the session would end within hours."""
    until = ahead(expires, datetime.now(UTC))
    with _client(session, url, None, ca_file) as api:
        access = api.account.sign_in(email, password).access
    with _client(session, url, access, ca_file) as api:
        try:
            made = api.tokens.create(f"narthex login on {socket.gethostname()}"[:64], expires=until)
        finally:
            api.account.sign_out()
    return Credential(token=made.token, token_id=made.id)


def _usual_project(api: Client) -> str:
    """`default` where it is seen, else the first one."""
    names = [project.name for project in api.projects.list()]
    return "default" if "default" in names or not names else names[0]


def _free(name: str) -> str:
    if name == LOCAL:
        raise Misconfigured(f'the profile {LOCAL} belongs to "narthex up"; give another name with --name')
    return name


def _keep(name: str, stored: StoredProfile) -> None:
    profiles = user_profiles()
    keep_profiles(profiles.model_copy(update={"profiles": {**profiles.profiles, name: stored}, "current": name}))


def _say_what_comes_first(name: str) -> None:
    """A directory's profile and the environment come before the user's: else one would wonder."""
    applies = resolve(Flags())
    if applies.source != str(user_file()):
        notice(f"here {applies.source} comes first; use --profile {name}")


def _revoke(session: Session, stored: StoredProfile, token: str, token_id: str) -> None:
    try:
        with _client(session, stored.api_url, token, stored.ca_file) as api:
            api.tokens.delete(token_id)
    except ApiError as error:
        if error.status not in (401, 404):  # it is no good any more, which is what was wanted
            raise


def _next(current: str, dropped: str) -> str:
    return LOCAL if current == dropped else current
