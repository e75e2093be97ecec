"""Events of earlier releases are read as they were written, and events of later ones do not break us."""

import json
from pathlib import Path
from typing import Any

import pytest

from narthex.contracts.events import BY_SUBJECT, Event, every_event

FOLDER = Path(__file__).parent / "golden"


def as_in(sample: Any, written: Any) -> Any:
    """What was written, without the fields that the sample's release did not have."""
    if isinstance(sample, dict):
        return {name: as_in(value, written[name]) for name, value in sample.items()}
    if isinstance(sample, list):
        return [as_in(one, other) for one, other in zip(sample, written, strict=True)]
    return written


@pytest.mark.parametrize("kind", list(every_event()), ids=lambda kind: kind.__name__)
def test_a_golden_sample_is_read_and_written_without_a_loss(kind: type[Event]) -> None:
    sample = json.loads((FOLDER / f"{kind.__name__}.json").read_text())
    written = kind.model_validate(sample).model_dump(mode="json")
    assert as_in(sample, written) == sample


@pytest.mark.parametrize("kind", list(every_event()), ids=lambda kind: kind.__name__)
def test_a_field_of_a_later_release_is_ignored(kind: type[Event]) -> None:
    sample = json.loads((FOLDER / f"{kind.__name__}.json").read_text())
    later = sample | {"added_later": 1}
    if "entity" in sample:
        later["entity"] = sample["entity"] | {"added_later": 1}
    assert kind.model_validate(later) == kind.model_validate(sample)


def test_every_type_has_a_subject_of_its_own_under_v1() -> None:
    assert len(BY_SUBJECT) == len(list(every_event()))
    assert all(subject.startswith("narthex.v1.") for subject in BY_SUBJECT)
