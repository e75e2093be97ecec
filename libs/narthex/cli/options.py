"""The options that several commands share."""

from typing import Annotated

import typer

from narthex.contracts.errors import Misconfigured

Project = Annotated[str | None, typer.Option("--project", "-p", help="The project; default: the profile's.")]
Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]
Labels = Annotated[list[str] | None, typer.Option("--label", metavar="KEY=VALUE", help="A label; repeatable.")]
Description = Annotated[str | None, typer.Option(help="Free text, 400 characters at most.")]
Wait = Annotated[bool, typer.Option("--wait", help="Return only when every router worker has applied it.")]
Timeout = Annotated[float, typer.Option(metavar="SECONDS", min=0.0, help="How long --wait waits (exit code 4).")]


def parse_labels(texts: list[str] | None) -> dict[str, str] | None:
    """The labels of `--label` options; None when there are none."""
    if not texts:
        return None
    labels = {}
    for text in texts:
        key, separator, value = text.partition("=")
        if not separator or not key:
            raise Misconfigured(f"--label {text!r} must look like KEY=VALUE")
        labels[key] = value
    return labels
