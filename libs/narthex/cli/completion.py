"""`narthex completion SHELL`: the script that makes a shell complete commands, options and names."""

from typing import Annotated

import typer
from typer.completion import get_completion_script  # type: ignore[attr-defined]  # what --show-completion prints

from narthex.contracts.errors import Misconfigured

SHELLS = ("bash", "zsh", "fish")


def completion(
    shell: Annotated[str, typer.Argument(metavar="bash|zsh|fish", autocompletion=lambda: list(SHELLS))],
) -> None:
    """Print the script for a shell's completion. For bash: source <(narthex completion bash)"""
    if shell not in SHELLS:
        raise Misconfigured(f"there is no completion for {shell!r}, only for {', '.join(SHELLS)}")
    print(get_completion_script(prog_name="narthex", complete_var="_NARTHEX_COMPLETE", shell=shell))
