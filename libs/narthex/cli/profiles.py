"""`narthex profiles`: the APIs that this user knows."""

from typing import Annotated

import typer
from pydantic import BaseModel

from narthex.cli.options import Json
from narthex.cli.output import Column, notice, show_list
from narthex.cli.suggest import closest
from narthex.client.stored import LOCAL, StoredProfile, StoredProfiles, keep_profiles, user_profiles
from narthex.contracts.errors import Misconfigured

app = typer.Typer(no_args_is_help=True, help="Profiles: where commands connect to, and as whom.")


def names(incomplete: str) -> list[str]:
    """For the shell's completion."""
    try:
        return [name for name in user_profiles().profiles if name.startswith(incomplete)]
    except Misconfigured:
        return []


Name = Annotated[str, typer.Argument(help="The profile's name.", autocompletion=names)]


class Shown(BaseModel):
    """A profile without its token."""

    name: str
    current: bool
    api_url: str
    project: str
    token: str


COLUMNS: list[Column[Shown]] = [
    Column("NAME", lambda profile: profile.name),
    Column("CURRENT", lambda profile: profile.current),
    Column("API", lambda profile: profile.api_url, flexible=True),
    Column("PROJECT", lambda profile: profile.project),
    Column("TOKEN", lambda profile: profile.token, flexible=True),
]


@app.command("list")
def list_profiles(json: Json = False) -> None:
    """The user's profiles."""
    profiles = user_profiles()
    show_list((_shown(name, profiles) for name in sorted(profiles.profiles)), COLUMNS, json)


@app.command("use")
def use(name: Name) -> None:
    """Make a profile the current one."""
    profiles = user_profiles()
    find(profiles, name)
    keep_profiles(profiles.model_copy(update={"current": name}))
    notice(f"commands now use {name}, where neither a directory nor the environment says otherwise")


@app.command("delete")
def delete(name: Name) -> None:
    """Forget a profile. Its token stays good: `narthex logout` revokes it as well."""
    profiles = user_profiles()
    find(profiles, name)
    rest = {each: profile for each, profile in profiles.profiles.items() if each != name}
    current = LOCAL if profiles.current == name else profiles.current
    keep_profiles(profiles.model_copy(update={"profiles": rest, "current": current}))
    notice(f"deleted profile {name}")


def find(profiles: StoredProfiles, name: str) -> tuple[str, StoredProfile]:
    """A profile by name; Misconfigured with a similar one when it is not there."""
    if name in profiles.profiles:
        return name, profiles.profiles[name]
    meant = closest(name, profiles.profiles)
    hint = f"; did you mean {meant!r}?" if meant else '; "narthex profiles list" shows which there are'
    raise Misconfigured(f"there is no profile {name!r}{hint}")


def _shown(name: str, profiles: StoredProfiles) -> Shown:
    stored = profiles.profiles[name]
    token = "stored here" if stored.token else f"in {stored.token_file}"
    return Shown(
        name=name, current=name == profiles.current, api_url=stored.api_url, project=stored.project, token=token
    )
