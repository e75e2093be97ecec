"""The options and arguments that several commands share."""

from typing import Annotated

import typer

from narthex.cli import complete
from narthex.contracts.errors import Misconfigured

ServiceName = Annotated[str, typer.Argument(help="The service's name.", autocompletion=complete.services)]
DeploymentName = Annotated[str, typer.Argument(help="The deployment's name.", autocompletion=complete.deployments)]
VersionName = Annotated[str, typer.Argument(help="The version's name.", autocompletion=complete.versions)]
Project = Annotated[
    str | None,
    typer.Option("--project", "-p", help="The project; default: the profile's.", autocompletion=complete.projects),
]
Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]
Labels = Annotated[list[str] | None, typer.Option("--label", metavar="KEY=VALUE", help="A label; repeatable.")]
Description = Annotated[str | None, typer.Option(help="Free text, 400 characters at most.")]
Wait = Annotated[bool, typer.Option("--wait", help="Return only when every router worker has applied it.")]
Timeout = Annotated[float, typer.Option(metavar="SECONDS", min=0.0, help="How long --wait waits (exit code 4).")]
WaitS = Annotated[
    float, typer.Option(metavar="SECONDS", min=0.0, max=300.0, help="Wait for a healthy instance of the new version.")
]
Force = Annotated[bool, typer.Option("--force", help="Even if the new version has no healthy instance.")]
Limit = Annotated[int, typer.Option(help="How many at most, newest first.", min=1)]
Since = Annotated[str | None, typer.Option(help="A date, or how long ago: 90s, 10m, 2h, 7d.")]
Until = Annotated[str | None, typer.Option(help="As --since.")]
Expires = Annotated[str | None, typer.Option(help="A date, or how long from now: 12h, 30d.")]


def parse_labels(texts: list[str] | None, flag: str = "--label") -> dict[str, str] | None:
    """The labels of `--label` options; None when there are none."""
    if not texts:
        return None
    labels = {}
    for text in texts:
        key, separator, value = text.partition("=")
        if not separator or not key:
            raise Misconfigured(f"{flag} {text!r} must look like KEY=VALUE")
        labels[key] = value
    return labels
