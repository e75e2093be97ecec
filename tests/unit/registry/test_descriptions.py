"""What the registry says about its API and its events is what they are."""

import importlib.util
from pathlib import Path
from types import ModuleType

from narthex.contracts.events import every_event
from narthex_registry.api import elsewhere
from narthex_registry.api.installation import openapi
from narthex_registry.api.server import ROUTES
from narthex_registry.api.services import status_range

ROOT = Path(__file__).parents[3]


def generator() -> ModuleType:
    spec = importlib.util.spec_from_file_location("asyncapi_tool", ROOT / "tools" / "asyncapi.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_committed_asyncapi_document_is_current() -> None:
    tool = generator()
    assert tool.FILE.read_text() == tool.text(), "run: python tools/asyncapi.py"


def test_every_event_is_in_the_asyncapi_document() -> None:
    channels = generator().document()["channels"].values()
    assert {channel["address"] for channel in channels} == {kind.subject for kind in every_event()}


def test_every_route_that_takes_or_gives_models_is_in_the_openapi_document() -> None:
    document = openapi(ROUTES, "/v2.1")
    described = {(path, method) for path, item in document["paths"].items() for method in item}
    routed = {("/v2.1" + route.path, route.method.lower()) for route in ROUTES if route not in elsewhere.ROUTES}
    version = "/v2.1/projects/{project}/deployments/{deployment}/versions/{version}"
    assert routed - described == {
        ("/v2.1/projects/{project}/events/stream", "get"),
        (version + "/revisions", "post"),  # takes a file
    }
    assert document["paths"]["/v2.1/projects/{project}/services"]["post"]["responses"]["201"]


def test_a_status_filter_means_a_range() -> None:
    assert status_range("") == (None, None)
    assert status_range("404") == (404, 404)
    assert status_range("5xx") == (500, 599)
