"""Where a command talks to, and what happens to its errors: the same for all commands."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Any, TypeVar

import httpx2
import typer
from pydantic import BaseModel, ValidationError
from typer.core import TyperGroup

from narthex.cli.exits import exit_code
from narthex.cli.output import complain
from narthex.cli.suggest import Named, suggestion
from narthex.client.client import Client
from narthex.client.errors import ApiError
from narthex.client.profiles import Flags, Profile, resolve
from narthex.contracts.errors import Misconfigured, NarthexError
from narthex.contracts.sentences import first

Body = TypeVar("Body", bound=BaseModel)


@dataclass(frozen=True)
class Session:
    """What the options before the command say. A test gives its transport."""

    flags: Flags = field(default_factory=Flags)
    transport: httpx2.BaseTransport | None = None

    def profile(self, project: str | None = None) -> Profile:
        """The profile that applies, with the command's own project."""
        return resolve(replace(self.flags, project=project))


def session_of(context: typer.Context) -> Session:
    """The session of a command."""
    return context.obj if isinstance(context.obj, Session) else Session()


@contextmanager
def connect(
    context: typer.Context,
    project: str | None = None,
    *,
    deployment: str | None = None,
    version: str | None = None,
    service: str | None = None,
) -> Iterator[Client]:
    """A client for one command. The names are those it is about: when one is unknown, a similar one is proposed."""
    session = session_of(context)
    profile = session.profile(project)
    with Client.from_profile(profile, transport=session.transport) as api:
        try:
            yield api
        except ApiError as error:
            if error.status not in (400, 404):
                raise
            hint = suggestion(api, Named(profile.project, deployment, version, service))
            if not hint:
                raise
            raise ApiError(error.status, error.code, error.message.rstrip(".") + hint) from None


def body(model: type[Body], changes: Mapping[str, Any] = MappingProxyType({}), /, **fields: Any) -> Body:
    """A request body. A field of `changes` may be None, which clears; others that are None were not given."""
    given = {name: value for name, value in fields.items() if value is not None}
    try:
        return model.model_validate(given | dict(changes))
    except ValidationError as error:
        where, rule = first(error)
        raise Misconfigured(f"{where.replace('_', '-')} {rule}") from None


class RootGroup(TyperGroup):
    """The program: an error of ours becomes one line on stderr and an exit code, never a traceback."""

    def make_context(self, *args: Any, **more: Any) -> Any:
        with _did_you_mean():
            return super().make_context(*args, **more)

    def invoke(self, ctx: Any) -> Any:
        try:
            with _did_you_mean():
                return super().invoke(ctx)
        except NarthexError as error:
            complain(error.message)
            raise typer.Exit(exit_code(error)) from None

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        """The commands in the sections that they were added with."""
        sections: dict[str, list[tuple[str, str]]] = {}
        width = max(len(name) for name in self.commands)
        for name, command in self.commands.items():
            panel = getattr(command, "rich_help_panel", None)
            rows = sections.setdefault(panel if isinstance(panel, str) else "Commands", [])
            rows.append((name.ljust(width), command.get_short_help_str(formatter.width - width - 6)))
        for section, rows in sections.items():
            with formatter.section(section):
                formatter.write_dl(rows)


@contextmanager
def _did_you_mean() -> Iterator[None]:
    """Words an unknown option's likely names as those of an unknown command are worded."""
    try:
        yield
    except Exception as error:
        possible = getattr(error, "possibilities", None)
        if possible:
            error.message = f"{error.message}. Did you mean {', '.join(map(repr, sorted(possible)))}?"  # type: ignore[attr-defined]
            error.possibilities = None  # type: ignore[attr-defined]  # they have been said
        raise
