"""What the registry says about its API and its events is what they are."""

import importlib.util
from pathlib import Path
from types import ModuleType

from openapi_spec_validator import OpenAPIV31SpecValidator

from narthex.contracts.events import every_event
from narthex_registry.api import elsewhere
from narthex_registry.api.openapi import openapi
from narthex_registry.api.server import ROUTES
from narthex_registry.api.service_requests import status_range

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


def test_every_route_that_is_served_is_in_the_openapi_document_with_a_name_of_its_own() -> None:
    document = openapi(ROUTES, "/v2.1")
    described = {(path, method) for path, item in document["paths"].items() for method in item}
    assert described == {
        ("/v2.1" + route.path, route.method.lower()) for route in ROUTES if route not in elsewhere.ROUTES
    }
    operations = [operation for item in document["paths"].values() for operation in item.values()]
    assert len({operation["operationId"] for operation in operations}) == len(operations)
    assert all(operation["summary"] and operation["tags"] for operation in operations)


def test_the_openapi_document_keeps_to_openapi_3_1() -> None:
    OpenAPIV31SpecValidator(openapi(ROUTES, "/v2.1")).validate()


def test_an_operation_says_what_it_can_answer_and_what_it_asks_for() -> None:
    paths = openapi(ROUTES, "/v2.1")["paths"]
    service = paths["/v2.1/projects/{project}/services/{service}"]
    assert {"200", "400", "401", "403", "404", "409", "412", "413", "429"} <= set(service["patch"]["responses"])
    assert "etag" in service["get"]["responses"]["200"]["headers"]
    assert {"project", "service", "If-Match"} <= {each["name"] for each in service["patch"]["parameters"]}
    assert "412" not in service["get"]["responses"]
    assert paths["/v2.1/status"]["get"]["security"] == []


def test_a_status_filter_means_a_range() -> None:
    assert status_range("") == (None, None)
    assert status_range("404") == (404, 404)
    assert status_range("5xx") == (500, 599)
