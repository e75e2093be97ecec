"""The parts of the UbiOps API that Narthex does not have: it exposes what runs, and neither builds, stores nor chains.

They are answered 501 with a sentence that says what takes their place. They are no part of /openapi.json.
"""

from typing import NoReturn

from aiohttp import web
from aiohttp.hdrs import METH_ANY

from narthex.contracts.errors import NotOffered
from narthex_registry.api.endpoint import Handler, needing
from narthex_registry.api.needs import Standing

_PROJECT = "/projects/{project}"
_DEPLOYMENT = _PROJECT + "/deployments/{deployment}"
_VERSION = _DEPLOYMENT + "/versions/{version}"
_ENVIRONMENT = _PROJECT + "/environments/{environment}"
_BELOW = "{rest:(/.*)?}"  # the path itself and everything under it

_PIPELINES = "Narthex has no pipelines: each application is called through its own service"
_FILES = "Narthex stores no files: an application brings its own storage"
_BUILDS = "Narthex builds no environments: start the application in an image of yours and register its instances"
_REVISIONS = "Narthex keeps no uploaded code, so there is nothing to download or to build"
_REQUESTS = "Narthex runs no code behind requests to deployments: make a service for it and call the service's endpoint"
_MACHINES = "Narthex rents no machines: instances run where their owner started them"
_MOVES = "Narthex does not move projects as archives"
_USAGE = "Narthex does not bill: request counts and durations are in metrics and in the requests of a service"

# In this order behind all other routes: the first that fits answers.
_MISSING: tuple[tuple[str, str, str], ...] = (
    (METH_ANY, f"{_PROJECT}/pipelines{_BELOW}", _PIPELINES),
    (METH_ANY, f"{_PROJECT}/buckets{_BELOW}", _FILES),
    (METH_ANY, f"{_PROJECT}/exports{_BELOW}", _MOVES),
    (METH_ANY, f"{_PROJECT}/imports{_BELOW}", _MOVES),
    (METH_ANY, f"{_PROJECT}/schedules{_BELOW}", "Narthex schedules no requests: let cron or a job call the service"),
    ("POST", f"{_PROJECT}/environments", _BUILDS),
    ("PATCH", _ENVIRONMENT, _BUILDS),
    ("DELETE", _ENVIRONMENT, _BUILDS),
    ("POST", f"{_ENVIRONMENT}/tags", _BUILDS),
    ("PATCH", _ENVIRONMENT + "/tags/{tag}", _BUILDS),
    ("DELETE", _ENVIRONMENT + "/tags/{tag}", _BUILDS),
    (METH_ANY, _ENVIRONMENT + "/tags/{tag}/{rest:.*}", _BUILDS),
    (METH_ANY, _VERSION + "/revisions/{revision}/{rest:.*}", _REVISIONS),
    *(
        ("POST", owner + way, _REQUESTS)
        for owner in (_DEPLOYMENT, _VERSION)
        for way in ("/requests", "/requests/batch", "/requests/stream")
    ),
    ("POST", f"{_PROJECT}/instance-type-groups", _MACHINES),
    ("PATCH", _PROJECT + "/instance-type-groups/{group}", _MACHINES),
    ("DELETE", _PROJECT + "/instance-type-groups/{group}", _MACHINES),
    ("GET", f"{_PROJECT}/usage", _USAGE),
    ("GET", "/organizations/{organization}/usage", _USAGE),
    ("GET", "/organizations/{organization}/resources", _USAGE),
    ("POST", "/expressions/evaluate", "Narthex evaluates no expressions: they belong to pipelines"),
    ("GET", "/template-deployments", "Narthex has no templates: a deployment is whatever listens on a port"),
    ("GET", "/vouchers/{code}", "Narthex is free, so there are no vouchers"),
)


def not_offered(sentence: str) -> Handler:
    """A handler that says so, whatever the body is."""

    @needing(Standing.SIGNED_IN)
    async def answer(request: web.Request) -> NoReturn:
        raise NotOffered(sentence)

    answer.reads_body_itself = True  # type: ignore[attr-defined]  # read by `layers.body`
    return answer


ROUTES = [web.route(method, path, not_offered(sentence)) for method, path, sentence in _MISSING]
