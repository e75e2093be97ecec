"""Carries the steps of a plan out, one after another."""

from collections.abc import Iterator, Sequence
from typing import Any

from narthex.cli.declare.plan import Action, Kind, Step
from narthex.client.client import Client
from narthex.client.errors import ApiError


def carry_out(api: Client, steps: Sequence[Step]) -> Iterator[Step]:
    """Yields each step when it is done. After an error the same manifest goes on where it stopped."""
    for step in steps:
        try:
            _do(api, step)
        except ApiError as error:
            message = f"{step.action} {step.kind} {step.name}: {error.message}"
            raise ApiError(error.status, error.code, message) from None
        yield step


def _do(api: Client, step: Step) -> None:
    noun: Any = {
        Kind.DEPLOYMENT: api.deployments,
        Kind.VERSION: api.versions,
        Kind.INSTANCE: api.instances,
        Kind.SERVICE: api.services,
    }[step.kind]
    match step.action:
        case Action.CREATE:
            noun.create(*step.path[:-1], step.body)
        case Action.UPDATE:
            noun.update(*step.path, step.body)
        case Action.DELETE:
            noun.delete(*step.path)
