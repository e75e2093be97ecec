"""The page that describes the API: all of it is there, and nothing on it can do anything."""

import base64
import hashlib
import re
from html.parser import HTMLParser
from typing import Any

import pytest

from narthex_registry.api import docs
from narthex_registry.api.examples import example, minimal
from narthex_registry.api.openapi import openapi
from narthex_registry.api.server import ROUTES

VOID = {"meta", "br"}


@pytest.fixture(scope="module")
def spec() -> dict[str, Any]:
    return openapi(ROUTES, "/v2.1")


@pytest.fixture(scope="module")
def page(spec: dict[str, Any]) -> str:
    return docs.page(spec)


class Outline(HTMLParser):
    """The elements of a page: whether they close as they open, what they point to, what they are called."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.ids: list[str] = []
        self.links: set[str] = set()
        self.tags: set[str] = set()
        self.attributes: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        found = dict(attrs)
        self.attributes |= set(found)
        self.ids += [found["id"] or ""] if "id" in found else []
        self.links |= {found["href"] or ""} if "href" in found else set()
        if tag not in VOID and tag not in ("tr", "td", "th"):
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag not in ("tr", "td", "th"):
            assert self.open.pop() == tag


@pytest.fixture(scope="module")
def outline(page: str) -> Outline:
    parser = Outline()
    parser.feed(page)
    return parser


def test_every_operation_and_every_model_is_on_the_page(page: str, spec: dict[str, Any]) -> None:
    for path, operations in spec["paths"].items():
        for method in operations:
            assert f"<b class={method}>{method.upper()}</b> <code>{path}</code>" in page
    for name in spec["components"]["schemas"]:
        assert f"<summary><code>{name}</code></summary>" in page


def test_every_link_of_the_page_leads_somewhere_and_nowhere_else(outline: Outline) -> None:
    assert outline.open == []
    assert len(outline.ids) == len(set(outline.ids))
    assert outline.links - {f"#{id}" for id in outline.ids} == {"/openapi.json", "/asyncapi.json"}


def test_nothing_on_the_page_runs_or_loads(outline: Outline) -> None:
    assert not outline.tags & {"script", "img", "iframe", "link", "form", "object"}
    assert not {name for name in outline.attributes if name.startswith("on") or name in ("src", "style")}


def test_the_policy_allows_the_pages_own_style_and_nothing_else(page: str) -> None:
    style = re.findall(r"<style>(.*?)</style>", page, re.DOTALL)
    digest = base64.b64encode(hashlib.sha256(style[0].encode()).digest()).decode()
    assert docs.POLICY.startswith(f"default-src 'none'; style-src 'sha256-{digest}';")


def test_what_descriptions_say_is_escaped() -> None:
    operation = {
        "tags": ["<b>"], "description": "`<i>` & <script>alert(1)</script>", "x-needs": "<u>",
        "parameters": [{"name": "<x>", "in": "query", "schema": {"type": "string", "default": "</td>"}}],
        "responses": {"200": {"description": "<ok>"}},
    }  # fmt: skip
    info = {"title": "<t>", "version": "<v>"}
    shown = docs.page({"info": info, "paths": {"/<p>": {"get": operation}}, "components": {"schemas": {"<M>": {}}}})
    for text in ("<script>", "<i>", "<u>", "<x>", "<ok>", "<t>", "<v>", "<p>`", "<M>"):
        assert text not in shown


def test_it_says_what_a_caller_needs(page: str) -> None:
    assert "Needs the permission <code>services.create</code>." in page
    assert "Needs no token." in page


def test_an_example_has_every_field_and_a_request_only_what_it_needs(spec: dict[str, Any]) -> None:
    schemas = spec["components"]["schemas"]
    assert minimal(schemas["ServiceCreate"], schemas) == {"name": "web", "port": 9000}
    shown = example(schemas["ServiceDetail"], schemas)
    assert shown["rate_limit"] is None
    assert shown["endpoint"].startswith("https://")
    assert example({"$ref": "#/components/schemas/A"}, {"A": {"properties": {"a": {"$ref": "x/A"}}}}) != {}
