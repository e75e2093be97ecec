"""The web app offers what webhooks can be called for; it has the words for it, the registry the list."""

import re
from pathlib import Path

import pytest

from narthex_registry.occurrences import EVENTS_OF

EVENTS = Path(__file__).parents[3] / "services/registry/web/src/pages/project/webhooks/events.ts"


@pytest.mark.parametrize("object_type", EVENTS_OF)
def test_the_web_app_offers_every_event_that_a_webhook_can_be_called_for(object_type: str) -> None:
    part = re.search(rf"^  {object_type}: \[(.*?)^  \]", EVENTS.read_text(), re.MULTILINE | re.DOTALL)
    assert part is not None
    assert sorted(re.findall(r'value: "(\w+)"', part[1])) == sorted(EVENTS_OF[object_type])
