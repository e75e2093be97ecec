"""The labels by which containers and services of a cluster say what they are. Pure."""

import re
from collections.abc import Mapping

from narthex.contracts.names import parse_deployment_name, parse_name, parse_version_name
from narthex_registry.discovery.found import Target

DEPLOYMENT, VERSION, PORT = "narthex.deployment", "narthex.version", "narthex.port"
PROJECT, WEIGHT, NETWORK = "narthex.project", "narthex.weight", "narthex.network"
IDENTITY, POD_UID = "narthex.identity", "pod-uid"

_NUMBER = re.compile(r"[0-9]{1,9}")


def target(labels: Mapping[str, str], project: str) -> Target:
    """The version that labels name, in a project. Raises ValueError."""
    for name in (DEPLOYMENT, VERSION):
        if not labels.get(name):
            raise ValueError(f"the label {name} is missing or empty")
    return parse_target(project, labels[DEPLOYMENT], labels[VERSION])


def parse_target(project: str, deployment: str, version: str) -> Target:
    """Names as the API takes them. Raises ValueError."""
    rules = (("project", parse_name, project), ("deployment", parse_deployment_name, deployment),
             ("version", parse_version_name, version))  # fmt: skip
    for field, parse, text in rules:
        try:
            parse(text)
        except ValueError as error:
            raise ValueError(f"{field}: {error}") from None
    return Target(project, deployment, version)


def number(labels: Mapping[str, str], name: str) -> int | None:
    """The number that a label has; None when there is no such label. Raises ValueError."""
    text = labels.get(name)
    if text is None or text == "":
        return None
    if not _NUMBER.fullmatch(text):
        raise ValueError(f"the label {name} must be a number")
    return int(text)


def weight(labels: Mapping[str, str]) -> int:
    found = number(labels, WEIGHT)
    return 1 if found is None else found
