"""Changes that are made only if nobody else was faster: a revision as ETag, and If-Match (RFC 9110, 13.1.1).

A handler says which row it is about with one line, `about(request, row)`: where the request carries If-Match, the
row must still have that revision. The answer then carries the revision the row has when the handler is done.
"""

import re

from aiohttp import web

from narthex.contracts.errors import Invalid, PreconditionFailed
from narthex_registry.tables import Row

ROW: web.RequestKey[Row] = web.RequestKey("row", Row)
_TAGS = re.compile(r'\s*(?:W/)?"[!#-~]*"\s*(?:,\s*(?:W/)?"[!#-~]*"\s*)*')


def about(request: web.Request, row: Row) -> None:
    """Say which row a request is about, or refuse the request when it was meant for another revision of it."""
    request[ROW] = row
    if request.method in {"PATCH", "DELETE"}:
        expect(request.headers.get("If-Match"), row)


def expect(wanted: str | None, row: Row) -> None:
    """Refuse unless the row's revision is among those that an If-Match header lists; no header lists all."""
    if wanted is None or wanted.strip() == "*":
        return
    if not _TAGS.fullmatch(wanted):
        raise Invalid('If-Match: must be * or an ETag in quotes, like "3"')
    if etag(row) not in (tag.strip() for tag in wanted.split(",")):  # a weak tag never matches
        noun = row.noun.removeprefix("deployment_")
        raise PreconditionFailed(
            f"this {noun} has changed since you read it: it is at revision {row.revision}; "
            "look at what is there now and try again"
        )


def etag(row: Row) -> str:
    return f'"{row.revision}"'


def tagged(request: web.Request, response: web.StreamResponse) -> web.StreamResponse:
    """An answer with the revision of what it shows."""
    if (row := request.get(ROW)) is not None and response.status in {200, 201}:
        response.headers["ETag"] = etag(row)
    return response
