"""What a request body says about each field: set, cleared, or not mentioned. Pure."""

from collections.abc import Collection, Mapping
from typing import Any

from narthex.contracts.api import Request
from narthex.contracts.errors import Invalid


def given(body: Request, *, required: Collection[str], defaults: Mapping[str, Any]) -> dict[str, Any]:
    """The fields that a body mentions. A null clears: the field gets its default; a required one has none."""
    values: dict[str, Any] = {}
    for name, value in body.model_dump(exclude_unset=True).items():
        if value is not None:
            values[name] = value
        elif name in required:
            raise Invalid(f"{name}: is required and cannot be cleared")
        else:
            values[name] = fresh(defaults.get(name))
    return values


def defaults_of(response: type[Any], names: Collection[str]) -> dict[str, Any]:
    """The defaults that a response model states for some of its fields: they stand in one place only."""
    return {name: response.model_fields[name].default for name in names}


def fresh(value: Any) -> Any:
    """A default that nobody else holds."""
    return value.copy() if isinstance(value, dict | list) else value


def label_pairs(text: str) -> list[tuple[str, str]]:
    """The pairs of a filter `k1:v1,k2:v2`; a part without a colon has an empty value."""
    parts = [part.partition(":") for part in text.split(",") if part.strip()]
    return [(name.strip(), value.strip()) for name, _, value in parts]


def matches_labels(labels: Mapping[str, str], wanted: str) -> bool:
    """Whether a thing with `labels` is selected by a filter `k1:v1,k2:v2`: one matching pair is enough.

    An empty filter selects everything; the UbiOps CLI sends one with every list.
    """
    pairs = label_pairs(wanted)
    return not pairs or any(labels.get(name) == value for name, value in pairs)
