"""The blocking client against prepared answers."""

import inspect
import json
from datetime import UTC, datetime

import httpx2
import pytest

from narthex.client import ApiError, Client, ConnectionFailed, Retry, TimedOut
from narthex.client.operations.services import get_service
from narthex.contracts.api import InstanceCreate, ServiceCreate, ServiceUpdate
from narthex.contracts.errors import Invalid, Misconfigured

TIME = "2026-01-01T00:00:00Z"
SERVICE = {
    "id": "s-1", "name": "hello", "deployment": "hello", "port": 9000, "time_created": TIME, "time_updated": TIME,
}  # fmt: skip
INSTANCE = {
    "id": "i-1", "status": "pending", "time_created": TIME, "time_updated": TIME,
    "deployment": "hello", "version": "v1", "address": "127.0.1.1",
}  # fmt: skip


def ok(body, status=200):
    return httpx2.Response(status, json=body)


def refusal(status, message, code="", headers=None):
    return httpx2.Response(status, json={"error": message, "code": code}, headers=headers)


def test_a_call_goes_to_its_path_with_the_token_and_gives_the_model(client_of):
    client, script = client_of(ok(SERVICE))
    service = client.services.get("hello")
    assert (service.name, service.port) == ("hello", 9000)
    request = script.requests[0]
    assert str(request.url) == "http://api.test/v2.1/projects/default/services/hello"
    assert request.headers["authorization"] == "Token nx_token"


def test_the_project_is_the_clients_unless_a_call_names_another(client_of):
    client, script = client_of(ok(SERVICE), project="shop")
    client.services.get("hello")
    client.services.get("hello", project="lab")
    assert [request.url.path for request in script.requests] == [
        "/v2.1/projects/shop/services/hello",
        "/v2.1/projects/lab/services/hello",
    ]


def test_parts_of_a_path_are_encoded_so_that_no_name_reaches_another_path(client_of):
    client, script = client_of(ok(SERVICE))
    client.services.get("a/../b?c#d%e é")
    assert script.requests[0].url.raw_path == b"/v2.1/projects/default/services/a%2F..%2Fb%3Fc%23d%25e%20%C3%A9"


@pytest.mark.parametrize("name", ["", ".", ".."])
def test_a_name_that_would_vanish_from_the_path_is_refused(client_of, name):
    client, script = client_of(ok(SERVICE))
    with pytest.raises(Invalid):
        client.services.get(name)
    assert script.requests == []


def test_a_body_holds_what_was_set_and_nothing_else(client_of):
    client, script = client_of(ok(SERVICE))
    client.services.create(ServiceCreate(name="hello", deployment="hello", port=9000))
    client.services.update("hello", ServiceUpdate(rate_limit=None, port=9001))
    created, updated = (json.loads(request.content) for request in script.requests)
    assert created == {"name": "hello", "deployment": "hello", "port": 9000}
    assert updated == {"rate_limit": None, "port": 9001}


def test_a_no_carries_status_code_and_sentence(client_of):
    client, _ = client_of(refusal(409, "name: there is already a service hello", "conflict"))
    with pytest.raises(ApiError) as caught:
        client.services.create(ServiceCreate(name="hello", deployment="hello", port=9000))
    error = caught.value
    assert (error.status, error.code, error.retryable) == (409, "conflict", False)
    assert error.message == "name: there is already a service hello"


def test_a_proxys_page_becomes_its_status_line(client_of):
    client, _ = client_of(httpx2.Response(502, text="<html>oops</html>"))
    with pytest.raises(ApiError, match=r"api\.test answered 502 Bad Gateway"):
        client.services.get("hello")


@pytest.mark.parametrize("content", [b"[]", b"<html>", b'{"name": 1}', b""])
def test_an_answer_that_is_not_the_model_is_an_error_of_the_api(client_of, content):
    client, _ = client_of(httpx2.Response(200, content=content))
    with pytest.raises(ApiError, match="unexpected answer") as caught:
        client.services.get("hello")
    assert caught.value.code == "bad_answer"


def test_a_redirect_is_not_followed_so_the_token_stays_here(client_of):
    client, script = client_of(httpx2.Response(307, headers={"location": "http://evil.test/"}))
    with pytest.raises(ApiError):
        client.services.get("hello")
    assert len(script.requests) == 1


def test_nobody_listening_says_what_to_do(client_of):
    client, script = client_of(httpx2.ConnectError("[Errno 111] Connection refused"))
    with pytest.raises(ConnectionFailed) as caught:
        client.services.get("hello")
    assert caught.value.message == (
        'cannot reach the API at http://api.test/v2.1: Connection refused; is "narthex up" running?'
    )
    assert len(script.requests) > 1


def test_a_limited_call_is_repeated_after_the_time_the_api_names(client_of, clock):
    client, script = client_of(refusal(429, "slow down", headers={"x-ratelimit-reset": "3"}), ok(SERVICE))
    assert client.services.get("hello").name == "hello"
    assert len(script.requests) == 2
    assert clock.time == 3.0


def test_a_post_that_may_have_been_done_is_not_repeated(client_of):
    client, script = client_of(httpx2.ReadError("reset"))
    with pytest.raises(ConnectionFailed):
        client.instances.create("hello", "v1", InstanceCreate(address="127.0.0.1"))
    assert len(script.requests) == 1


def test_a_get_is_repeated_until_the_total_time_is_over(client_of, clock):
    client, script = client_of(refusal(503, "away"), retry=Retry(total_s=10.0))
    with pytest.raises(ApiError, match="away"):
        client.services.get("hello")
    assert len(script.requests) > 3
    assert clock.time <= 10.0


def test_a_delete_whose_answer_was_lost_is_done_when_the_thing_is_gone(client_of):
    client, _ = client_of(httpx2.ReadError("reset"), refusal(404, "there is no service hello"))
    assert client.services.delete("hello") is None


def test_a_delete_of_something_unknown_is_an_error(client_of):
    client, _ = client_of(refusal(404, "there is no service hello"))
    with pytest.raises(ApiError):
        client.services.delete("hello")


def test_find_gives_none_for_what_is_not_there(client_of):
    client, _ = client_of(refusal(404, "there is no service hello"))
    assert client.services.find("hello") is None


@pytest.mark.parametrize("after", ["c2", "http://elsewhere.test/v2.1/x?cursor=c2&limit=5"])
def test_a_paged_list_is_one_iterator_and_asks_for_pages_as_they_are_needed(client_of, after):
    client, script = client_of(
        ok({"next": after, "results": [INSTANCE]}), ok({"next": None, "results": [{**INSTANCE, "id": "i-2"}]})
    )
    instances = client.instances.list("hello", "v1", status="running")
    assert script.requests == []
    assert next(instances).id == "i-1"
    assert len(script.requests) == 1
    assert [instance.id for instance in instances] == ["i-2"]
    assert script.requests[1].url.host == "api.test"
    assert dict(script.requests[1].url.params) == {"limit": "100", "status": "running", "cursor": "c2"}


def test_requests_are_paged_by_cursor(client_of):
    record = {"id": "r", "time": TIME}
    client, script = client_of(
        ok({"next": "7.r", "results": [record, record]}), ok({"next": None, "results": [record]})
    )
    since = datetime(2026, 1, 1, tzinfo=UTC)
    assert len(list(client.requests.list("hello", status="5xx", since=since, page=2))) == 3
    assert dict(script.requests[1].url.params) == {
        "limit": "2", "cursor": "7.r", "status": "5xx", "since": "2026-01-01T00:00:00+00:00",
    }  # fmt: skip


def test_a_plain_list_is_asked_for_in_slices_until_one_is_not_full(client_of):
    services = [{**SERVICE, "id": str(number)} for number in range(1000)]
    client, script = client_of(ok(services), ok(services[:1]))
    assert len(list(client.services.list())) == 1001
    assert [request.url.params.get("offset") for request in script.requests] == [None, "1000"]


def test_a_change_can_be_made_only_to_the_state_that_was_read(client_of):
    client, script = client_of(
        httpx2.Response(200, json=SERVICE, headers={"etag": '"3"'}), refusal(412, "it has changed", "changed")
    )
    read = client.services.get_tagged("hello")
    with pytest.raises(ApiError) as caught:
        client.services.update("hello", ServiceUpdate(port=9001), if_match=read.etag)
    assert (read.value.name, script.requests[1].headers["if-match"]) == ("hello", '"3"')
    assert caught.value.status == 412


def test_a_conditional_change_whose_answer_was_lost_is_not_repeated(client_of):
    client, script = client_of(httpx2.ReadError("reset"))
    with pytest.raises(ConnectionFailed):
        client.services.update("hello", ServiceUpdate(port=9001), if_match='"3"')
    with pytest.raises(ConnectionFailed):
        client.service_users.reset_token("u")
    assert len(script.requests) == 2


def test_a_body_is_given_byte_by_byte(client_of):
    client, _ = client_of(httpx2.Response(200, content=b"\x00\xff"))
    assert client.requests.body("r", "hello", "v1") == b"\x00\xff"


def test_an_argument_that_breaks_a_rule_is_named_before_anything_is_sent(client_of):
    client, script = client_of(ok({}))
    with pytest.raises(Invalid, match="user_id: must be a UUID"):
        client.limits.create("web", "rate", "nobody", 5)
    assert script.requests == []


def test_signing_in_needs_no_token():
    asked = []

    def answer(request):
        asked.append(request)
        return ok({"access": "session"})

    client = Client("http://api.test", None, transport=httpx2.MockTransport(answer))
    assert client.account.sign_in("ada@people.test", "correct horse").access == "session"
    assert "authorization" not in asked[0].headers


def test_waiting_ends_when_every_worker_has_applied_the_change(client_of):
    late = {"sequence": 7, "applied": False, "workers": []}
    client, script = client_of(ok(late), ok(late), ok({**late, "applied": True}))
    assert client.services.wait_until_applied("hello").applied
    assert len(script.requests) == 3


def test_waiting_that_takes_too_long_names_who_is_late(client_of, clock):
    worker = {"router": "r1", "worker": "2", "applied_sequence": 6, "seen": TIME}
    client, _ = client_of(ok({"sequence": 7, "applied": False, "workers": [worker]}))
    with pytest.raises(TimedOut, match=r"not applied by r1/2 within 5 s"):
        client.services.wait_until_applied("hello", timeout=5)
    assert 5.0 <= clock.time <= 6.0


def test_waiting_until_ready_asks_for_the_status(client_of):
    status = {"id": "s-1", "ready": False, "instances_ready": 0}
    client, script = client_of(ok(status), ok({**status, "ready": True, "instances_ready": 1}))
    assert client.services.wait_until_ready("hello").instances_ready == 1
    assert script.requests[0].url.path.endswith("/services/hello/status")


def stream(*texts):
    return httpx2.Response(200, headers={"content-type": "text/event-stream"}, content="".join(texts).encode())


def event(number):
    record = {"type": "ServiceCreated", "subject": "narthex.v1.service.created", "event": {"key": str(number)}}
    return f"event: ServiceCreated\nid: {number}\ndata: {json.dumps(record)}\n\n"


def test_a_stream_of_requests_says_how_many_were_skipped(client_of):
    record = json.dumps({"id": "r", "time": TIME, "status": 404})
    client, script = client_of(stream('event: skipped\ndata: {"count": 7}\n\n', f"event: request\ndata: {record}\n\n"))
    skipped = []
    assert next(client.requests.stream("web", status="4xx", on_skipped=skipped.append)).status == 404
    assert skipped == [7]
    assert str(script.requests[0].url).endswith("/services/web/requests/stream?status=4xx")


def test_events_stream_and_go_on_after_the_connection_broke(client_of):
    lost = []
    client, script = client_of(
        stream(": still here\n\n", event(1)), httpx2.ConnectError("refused"), refusal(503, "starting"), stream(event(2))
    )
    events = client.events.stream(on_lost=lost.append)
    assert [next(events).event["key"], next(events).event["key"]] == ["1", "2"]
    assert [type(error) for error in lost] == [ConnectionFailed, ConnectionFailed, ApiError]
    assert script.requests[0].url.path == "/v2.1/projects/default/events/stream"


def test_an_event_stream_gives_up_when_the_api_stays_away(client_of, clock):
    client, _ = client_of(stream(event(1)), httpx2.ConnectError("refused"), retry=Retry(total_s=10.0))
    events = client.events.stream()
    next(events)
    with pytest.raises(ConnectionFailed):
        next(events)
    assert 2.0 <= clock.time <= 10.0


def test_an_event_stream_that_is_refused_says_so_at_once(client_of):
    client, script = client_of(refusal(403, "you may not", "forbidden"))
    with pytest.raises(ApiError, match="you may not"):
        next(client.events.stream())
    assert len(script.requests) == 1


def test_methods_have_the_docs_and_the_signature_of_their_operation():
    method = Client("http://api.test", "t").services.get
    assert method.__doc__ == get_service.__doc__
    assert list(inspect.signature(method).parameters) == ["name", "project"]


@pytest.mark.parametrize(
    "url", ["api.test", "ftp://api.test", "http://", "http://[::1", "http://a:99999", "http://a:b"]
)
def test_an_address_that_is_none_is_refused_with_an_example(url):
    with pytest.raises(Misconfigured, match="is not the address of an API"):
        Client(url, "t")


def test_a_ca_file_that_cannot_be_used_is_named(tmp_path):
    with pytest.raises(Misconfigured, match="cannot use the CA file"):
        Client("https://api.test", "t", ca_file=tmp_path / "missing.pem")
