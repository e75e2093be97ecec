"""Settings: what changes is shown before it is saved, and nobody's change is lost under another's."""

from collections.abc import Iterator
from typing import Any

import httpx2
import pytest
from playwright.sync_api import Page, Route, expect

from narthex.testing.system import System
from web.test_errors import STREAM

PEM_OF_NOTHING = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"
HOSTILE = '"><script>document.title="broken in"</script><img src=x onerror=alert(1)>'


@pytest.fixture
def service(api: httpx2.Client) -> Iterator[dict[str, Any]]:
    body = {"name": "tuned", "deployment": "hello", "port": 9300, "description": HOSTILE, "labels": {"team": "<b>red"}}
    yield api.post("/services", json=body).raise_for_status().json()
    api.delete("/services/tuned").raise_for_status()


def test_only_what_was_changed_is_saved_after_it_was_shown(
    app: Page, api: httpx2.Client, service: dict[str, Any]
) -> None:
    app.goto("/projects/default/services/tuned/settings")
    app.get_by_label("First byte of an answer").fill("30")
    app.get_by_role("combobox", name="Only from these networks").fill("127.0.0.0/8")
    app.keyboard.press("Enter")
    app.get_by_role("button", name="Review and save").click()
    review = app.get_by_role("dialog")
    expect(review.get_by_role("row")).to_have_count(3)  # the head, and two changes
    expect(review.get_by_role("row", name="Only from these networks")).to_contain_text("127.0.0.0/8")
    review.get_by_role("button", name="Save").click()
    expect(app.get_by_text("Saved", exact=True)).to_be_visible()
    now = api.get("/services/tuned").json()
    assert (now["first_byte_timeout"], now["ip_allow"]) == (30.0, ["127.0.0.0/8"])
    assert {**now, **{name: service[name] for name in ("first_byte_timeout", "ip_allow", "time_updated")}} == service


def test_a_change_of_somebody_else_is_noticed_and_not_overwritten(
    app: Page, api: httpx2.Client, service: dict[str, Any]
) -> None:
    app.goto("/projects/default/services/tuned/settings")
    app.get_by_label("First byte of an answer").fill("30")
    api.patch("/services/tuned", json={"first_byte_timeout": 5.0}).raise_for_status()
    expect(app.get_by_text("Somebody changed this service")).to_be_visible()
    save(app)
    expect(app.get_by_role("dialog").get_by_role("alert")).to_contain_text("look at it again")
    assert api.get("/services/tuned").json()["first_byte_timeout"] == 5.0


def test_ones_own_change_is_not_taken_for_one_of_somebody_else(app: Page, service: dict[str, Any]) -> None:
    reads: list[Route] = []

    def late(route: Route) -> None:
        """The form is read again first; what else the page knows of the service stays old."""
        if route.request.method == "GET":
            reads.append(route)
        if len(reads) < 2:
            route.continue_()

    app.route(STREAM, lambda route: None)  # nothing but the page itself reads anything again
    app.goto("/projects/default/services/tuned/settings")
    app.get_by_label("First byte of an answer").fill("30")
    app.route("**/v2.1/projects/default/services/tuned", late)
    save(app)
    expect(app.get_by_role("button", name="Review and save")).to_be_disabled()
    assert len(reads) == 2
    expect(app.get_by_text("Somebody changed this service")).to_have_count(0)
    app.unroute_all(behavior="ignoreErrors")


def test_a_switch_that_was_turned_on_is_off_again_when_changes_are_discarded(
    app: Page, service: dict[str, Any]
) -> None:
    app.goto("/projects/default/services/tuned/settings")
    cors = app.get_by_role("switch", name="Pages of other origins may call it")
    cors.click()
    expect(app.get_by_role("combobox", name="Origins")).to_be_visible()
    app.get_by_role("button", name="Discard").click()
    expect(cors).not_to_be_checked()
    expect(app.get_by_role("combobox", name="Origins")).to_have_count(0)


def test_the_doors_of_issuers_and_client_certificates_are_opened_and_shown_before_they_are_saved(
    app: Page, api: httpx2.Client, system: System, service: dict[str, Any]
) -> None:
    app.goto("/projects/default/services/tuned/settings")
    jwt = app.get_by_role("region", name="JSON Web Tokens")
    jwt.get_by_role("switch", name="A way in").click()
    jwt.get_by_label("Issuer").fill("id.example.com")
    expect(jwt.get_by_text("must be an http or https URL")).to_be_visible()
    jwt.get_by_label("Issuer").fill("https://id.example.com/realms/main")
    jwt.get_by_label("Audience").fill("web")
    jwt.get_by_role("button", name="Give a role for a claim").click()
    jwt.get_by_label("Roles by claims, 1: role").click()
    app.get_by_role("option", name="service-request-user").click()
    jwt.get_by_label("Roles by claims, 1: claim").fill("groups")
    jwt.get_by_label("Roles by claims, 1: values").fill("staff")
    door = app.get_by_role("region", name="Client certificates")
    door.get_by_role("switch", name="A way in").click()
    door.get_by_label("Authorities").fill(PEM_OF_NOTHING)
    door.get_by_label("Only who is called so").fill("ann")
    save(app)
    refused = app.get_by_role("dialog").get_by_role("alert")
    expect(refused).to_contain_text("client_certificates.authorities: must be certificates in PEM")
    expect(refused).to_contain_text("Request ")
    app.get_by_role("button", name="Go on editing").click()
    expect(door.get_by_text("must be certificates in PEM")).to_be_visible()

    door.get_by_label("Authorities").fill(system.root_pem.read_text())
    app.get_by_role("button", name="Review and save").click()
    expect(app.get_by_role("dialog").get_by_role("row", name="authorities")).to_be_visible()
    expect(refused).to_have_count(0)  # that was said of what was typed before
    app.get_by_role("dialog").get_by_role("button", name="Save").click()
    expect(app.get_by_text("Saved", exact=True)).to_be_visible()
    now = api.get("/services/tuned").json()
    assert now["jwt"]["roles"] == [{"role": "service-request-user", "claim": "groups", "values": ["staff"]}]
    assert now["client_certificates"]["names"] == ["ann"]
    assert now["client_certificates"]["authorities"].startswith("-----BEGIN CERTIFICATE-----")

    jwt.get_by_label("Audience").fill("web-2")
    app.get_by_role("button", name="Review and save").click()
    rows = app.get_by_role("dialog").get_by_role("row")
    expect(rows).to_have_count(2)  # the head, and what differs
    expect(rows.last).to_contain_text("JSON Web Tokens: audience")
    app.goto("/projects/default/services/tuned/access")
    ways = app.get_by_role("region", name="Ways in")
    expect(ways).to_contain_text("A JSON Web Token of https://id.example.com/realms/main")
    expect(ways).to_contain_text("A client certificate that a known authority has signed, of ann")


def save(app: Page) -> None:
    app.get_by_role("button", name="Review and save").click()
    app.get_by_role("dialog").get_by_role("button", name="Save").click()


def test_what_is_stored_is_shown_as_text_whatever_is_in_it(app: Page, service: dict[str, Any]) -> None:
    app.goto("/projects/default/services/tuned")
    expect(app.get_by_text(HOSTILE)).to_be_visible()
    expect(app).to_have_title("tuned · Narthex")
    app.goto("/projects/default/services")
    expect(app.get_by_text("team:<b>red")).to_be_visible()
