"""What `ubiops deployments deploy` and `ubiops versions wait` ask about a version: revisions."""

from aiohttp import web

from narthex.contracts import api
from narthex.contracts.errors import Invalid
from narthex_registry import revisions, versions
from narthex_registry.api.endpoint import endpoint, needing, rendered
from narthex_registry.api.signature import r200
from narthex_registry.api.state import PROJECT_ID, USER, cause, state

_VERSION = "/projects/{project}/deployments/{deployment}/versions/{version}"
MOST_BYTES = 1024**3  # of an upload; it is read and dropped


@endpoint("deployments.versions.get")
async def list_revisions(
    request: web.Request, project: str, deployment: str, version: str, /
) -> r200[list[api.RevisionDetail]]:
    """The revisions of a version, newest first."""
    async with state(request).database.read() as session:
        _, row = await versions.find_with_deployment(session, request[PROJECT_ID], deployment, version)
    return revisions.listed(row)


@endpoint("deployments.versions.get")
async def get_revision(
    request: web.Request, project: str, deployment: str, version: str, revision: str, /
) -> r200[api.RevisionDetail]:
    """One revision; it is ready at once."""
    async with state(request).database.read() as session:
        _, row = await versions.find_with_deployment(session, request[PROJECT_ID], deployment, version)
    return revisions.find(row, revision)


@needing("deployments.versions.update")
async def upload_revision(request: web.Request) -> web.Response:
    """Note an upload; what is uploaded is not kept, because Narthex runs no code."""
    path, registry = request.match_info, state(request)
    size = await _drained(request)
    async with registry.database.change(cause(request)) as change:
        _, row = await versions.find_with_deployment(
            change.session, request[PROJECT_ID], path["deployment"], path["version"]
        )
        made = revisions.upload(change, row, request[USER].email, size, registry.clock.now())
    return rendered(api.RevisionUploaded(revision=made), 201)


upload_revision.reads_body_itself = True  # type: ignore[attr-defined]  # read by `layers.body`: it is no JSON


async def _drained(request: web.Request) -> int:
    """Read a body to its end and forget it; how long it was."""
    size = 0
    async for chunk in request.content.iter_chunked(2**16):
        size += len(chunk)
        if size > MOST_BYTES:
            raise Invalid(f"file: must be at most {MOST_BYTES} bytes")
    return size


ROUTES = [
    web.get(_VERSION + "/revisions", list_revisions),
    web.post(_VERSION + "/revisions", upload_revision),
    web.get(_VERSION + "/revisions/{revision}", get_revision),
]
