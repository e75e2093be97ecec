"""The messages that consumers gave up, for those who look after the installation: to be tried again, or let go."""

import json
import re
from typing import Annotated

from aiohttp import web
from pydantic import Field

from narthex.bus import DeadLetter
from narthex.contracts import api
from narthex.contracts.errors import NotFound
from narthex_registry.api.endpoint import endpoint
from narthex_registry.api.needs import Standing
from narthex_registry.api.signature import r200, r204
from narthex_registry.api.state import cause, state
from narthex_registry.trail import remark

CONTENT = 64 * 1024  # characters that are shown
Page = Annotated[int, Field(ge=1, le=200)]
Number = Annotated[int, Field(ge=0, le=2**62)]


@endpoint(Standing.ADMINISTRATOR)
async def list_dead_letters(
    request: web.Request, after: Number = 0, limit: Page = 50
) -> r200[list[api.DeadLetterBrief]]:
    """The messages that consumers gave up, oldest first; the next page is `after` the last number."""
    return [_brief(each) for each in await state(request).bus.inspection().dead_letters(after, limit)]


@endpoint(Standing.ADMINISTRATOR)
async def get_dead_letter(request: web.Request, number: str, /) -> r200[api.DeadLetterDetail]:
    """A message that was given up, and what it says."""
    letter = await state(request).bus.inspection().dead_letter(_number(number))
    content = readable(letter.body)
    return api.DeadLetterDetail(**_brief(letter).model_dump(), content=content[:CONTENT], cut=len(content) > CONTENT)


@endpoint(Standing.ADMINISTRATOR)
async def retry_dead_letter(request: web.Request, number: str, /) -> r200[api.DeadLetterBrief]:
    """Publish a message again that was given up. Whoever had it does nothing with it; it is a dead letter no more,
    unless it fails again."""
    letter = await state(request).bus.inspection().retry(_number(number))
    await _note(request, letter, "was published again")
    return _brief(letter)


@endpoint(Standing.ADMINISTRATOR)
async def discard_dead_letter(request: web.Request, number: str, /) -> r204:
    """Forget a message that was given up."""
    inspection = state(request).bus.inspection()
    letter = await inspection.dead_letter(_number(number))
    await inspection.discard(letter.number)
    await _note(request, letter, "was discarded")


async def _note(request: web.Request, letter: DeadLetter, what: str) -> None:
    """The audit trail says who did that."""
    by = cause(request)
    said = f"Dead letter {letter.number} of {letter.consumer} ({letter.subject}) {what}"
    async with state(request).database.change(by) as change:
        change.session.add(remark(by, state(request).clock.now(), said, object_type="installation"))


def readable(body: bytes) -> str:
    """A message as people read it: JSON with line breaks, text otherwise."""
    try:
        return json.dumps(json.loads(body), indent=2, ensure_ascii=False)
    except (ValueError, RecursionError):
        return body.decode(errors="replace")


def _brief(letter: DeadLetter) -> api.DeadLetterBrief:
    return api.DeadLetterBrief(
        number=letter.number,
        consumer=letter.consumer,
        subject=letter.subject,
        reason=letter.reason,
        date=letter.time,
        size=len(letter.body),
    )


def _number(text: str) -> int:
    if not re.fullmatch(r"[1-9][0-9]{0,17}", text):
        raise NotFound(f"there is no dead letter {text}")
    return int(text)


_LETTERS = "/installation/dead-letters"
ROUTES = [
    web.get(_LETTERS, list_dead_letters),
    web.get(_LETTERS + "/{number}", get_dead_letter),
    web.post(_LETTERS + "/{number}/retry", retry_dead_letter),
    web.delete(_LETTERS + "/{number}", discard_dead_letter),
]
