"""The commands, as a user types them, against a small API."""

import json

import httpx2
import pytest

from narthex.cli.exits import Exit, exit_code
from narthex.client.errors import ApiError, ConnectionFailed, TimedOut
from narthex.contracts.errors import Invalid, Misconfigured

EVENT = {
    "type": "ReplicaHealthChanged",
    "subject": "narthex.v1.replica.health_changed",
    "event": {
        "time": "2026-01-01T00:00:00Z", "key": "i-1", "before": "healthy",
        "entity": {"id": "i-1", "health": "unhealthy", "reason": "probe: HTTP 503 \x1b[31m"},
    },
}  # fmt: skip


@pytest.fixture
def hello(fake):
    """A deployment with a version, a service and an instance."""
    fake.put("projects/default/deployments/hello", {"name": "hello", "default_version": "v1"})
    fake.put("projects/default/deployments/hello/versions/v1", {"version": "v1", "health_check": {"path": "/up"}})
    fake.put(
        "projects/default/deployments/hello/versions/v1/instances/i-1",
        {
            "id": "i-1",
            "address": "127.0.1.1",
            "port": 9000,
            "reason": "probe: ok",
            "note": "exited with 1: \x1b[31mboom",
        },
    )
    fake.put("projects/default/services/hello", {"name": "hello", "deployment": "hello", "port": 9000})
    return fake


def table(result):
    assert result.exit_code == 0, result.output
    header, *rows = [line.split("\t") for line in result.stdout.splitlines()]
    return [dict(zip(header, row, strict=True)) for row in rows]


def test_projects_are_made_listed_renamed_and_removed(run, fake):
    assert run("projects", "create", "shop", "--label", "team=blue").exit_code == 0
    assert fake.asked[-1][2] == {"name": "shop", "organization_name": "default", "labels": {"team": "blue"}}
    assert [row["NAME"] for row in table(run("projects", "list"))] == ["default", "shop"]
    assert run("projects", "update", "shop", "--new-name", "store").exit_code == 0
    assert run("projects", "delete", "shop").exit_code == 0
    assert "projects/shop" not in fake.things


def test_a_deployment_is_made_for_plain_http(run, fake):
    result = run("deployments", "create", "hello", "--json")
    assert json.loads(result.stdout)["name"] == "hello"
    assert fake.asked[-1][2] == {"name": "hello", "supports_request_format": False}


def test_deployments_are_listed_changed_and_removed(run, hello):
    assert table(run("deployments", "list"))[0]["DEFAULT"] == "v1"
    assert run("deployments", "update", "hello", "--description", "hi").exit_code == 0
    assert hello.asked[-1][2] == {"description": "hi"}
    assert run("deployments", "get", "hello").exit_code == 0
    assert run("deployments", "delete", "hello").exit_code == 0


def test_a_version_is_made_with_its_health_check(run, hello):
    arguments = ("--health-path", "/healthz", "--health-interval", "2", "--failure-threshold", "3")
    assert run("versions", "create", "hello", "v2", *arguments).exit_code == 0
    check = {"path": "/healthz", "interval": 2, "failure_threshold": 3}
    assert hello.asked[-1][2] == {"version": "v2", "health_check": check}
    first = table(run("versions", "list", "hello"))[0]
    assert (first["VERSION"], first["HEALTH CHECK"]) == ("v1", "path=/up")


def test_a_versions_health_check_can_be_taken_away(run, hello):
    assert run("versions", "update", "hello", "v1", "--no-health-check").exit_code == 0
    assert hello.asked[-1][2] == {"health_check": None}
    both = run("versions", "update", "hello", "v1", "--no-health-check", "--health-path", "/x")
    assert both.exit_code == 2


def test_instances_show_how_they_are_and_why(run, hello):
    [row] = table(run("instances", "list", "hello", "v1"))
    assert row == {
        "ID": "i-1", "ADDRESS": "127.0.1.1:9000", "STATUS": "running", "HEALTH": "healthy",
        "IN FLIGHT": "-", "REASON": "probe: ok", "NOTE": "exited with 1: \\x1b[31mboom",
    }  # fmt: skip


def test_instances_of_a_deployment_or_the_whole_project_are_listed(run, hello):
    assert [row["DEPLOYMENT"] for row in table(run("instances", "list", "hello"))] == ["hello"]
    assert [row["VERSION"] for row in table(run("instances", "list"))] == ["v1"]
    assert run("instances", "list", "nope").exit_code == 1


def test_an_instance_is_registered_renewed_and_drained(run, hello):
    made = run("instances", "create", "hello", "v1", "--address", "::1", "--port", "9001", "--lease", "30", "--json")
    id = json.loads(made.stdout)["id"]
    assert hello.asked[-1][2] == {"address": "::1", "port": 9001, "lease_seconds": 30}
    assert run("instances", "update", "hello", "v1", id, "--note", "hi").exit_code == 0
    assert run("instances", "get", "hello", "v1", id).exit_code == 0
    gone = run("instances", "delete", "hello", "v1", id, "--wait")
    assert (gone.exit_code, gone.stderr) == (0, f"deleted instance {id}\n")


def test_services_are_listed_with_their_address(run, hello):
    [row] = table(run("services", "list"))
    assert (row["NAME"], row["VERSION"], row["AUTH"]) == ("hello", "(default)", "token")
    assert row["ENDPOINT"].startswith("https://id-")


def test_a_service_is_made_and_waited_for(run, hello):
    hello.answers["GET", "projects/default/services/api/propagation"] = (
        200,
        {"sequence": 3, "applied": True, "workers": []},
    )
    result = run(
        "services", "create", "api", "--deployment", "hello", "--port", "9000", "--public",
        "--rate-limit", "60", "--wait", "--json",
    )  # fmt: skip
    assert result.exit_code == 0, result.output
    assert json.loads(result.stdout)["rate_limit"] == 60
    assert hello.asked[0][2] == {
        "name": "api", "deployment": "hello", "port": 9000, "authentication_required": False, "rate_limit": 60,
    }  # fmt: skip
    assert hello.asked[1][1].endswith("/services/api/propagation")


def test_waiting_for_routers_that_do_not_follow_ends_with_4(run, hello):
    state = {"sequence": 3, "applied": False, "workers": []}
    hello.answers["GET", "projects/default/services/hello/propagation"] = (200, state)
    result = run("services", "update", "hello", "--port", "9001", "--wait", "--timeout", "0")
    assert result.exit_code == 4
    assert result.stderr.startswith("error: the newest state of service 'hello' was not applied")


def test_an_update_sends_what_is_given_and_lifts_what_is_none(run, hello):
    assert run("services", "update", "hello", "--rate-limit", "none", "--authenticated").exit_code == 0
    assert hello.asked[-1][2] == {"authentication_required": True, "rate_limit": None}
    assert run("services", "update", "hello", "--follow-default").exit_code == 0
    assert hello.asked[-1][2] == {"version": None}


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (("services", "create", "x", "--deployment", "d", "--port", "80"), "port must be between 1025 and 65535"),
        (("services", "create", "X", "--deployment", "d", "--port", "9000"), "name must be 1 to 64 characters"),
        (("services", "update", "x", "--rate-limit", "many"), "--rate-limit 'many' must be a number from 1, or none"),
        (("services", "update", "x", "--rate-limit", "0"), "must be a number from 1"),
        (("services", "update", "x", "--version", "v", "--follow-default"), "exclude each other"),
        (("projects", "create", "x", "--label", "nonsense"), "must look like KEY=VALUE"),
        (("instances", "create", "d", "v", "--address", "http://x"), "address must be an IP address or a DNS name"),
        (("versions", "create", "d", "v", "--health-path", "up"), "path must start with a single /"),
        (("requests", "list", "x", "--since", "yesterday"), "neither a date nor a time ago"),
        (("events", "list", "--type", "LimitReached"), "is a type of `narthex events tail`"),
    ],
)
def test_what_breaks_a_rule_is_said_before_anything_is_sent(run, fake, arguments, complaint):
    result = run(*arguments)
    assert result.exit_code == 2
    assert result.stderr.startswith("error: ")
    assert complaint in result.stderr
    assert fake.asked == []


def test_a_mistyped_name_gets_a_proposal(run, hello):
    assert run("services", "get", "helo").stderr == "error: there is no such service; did you mean 'hello'?\n"
    assert "did you mean 'hello'" in run("deployments", "get", "hallo").stderr
    assert "did you mean 'v1'" in run("versions", "get", "hello", "v11").stderr
    assert "did you mean 'default'" in run("services", "list", "--project", "defalt").stderr
    assert "did you mean" not in run("services", "get", "quite-different").stderr


def test_a_mistyped_command_gets_a_proposal(run):
    result = run("servics", "list")
    assert result.exit_code == 2
    assert "services" in result.stderr


def test_requests_show_what_became_of_them(run, hello):
    attempt = {"instance_id": "i-1", "address": "127.0.1.1:9000", "outcome": "answered"}
    record = {
        "id": "r", "time": "2026-01-01T00:00:00Z", "method": "GET", "path": "/\x1b[2J", "status": 502,
        "code": "connect_failed", "total_ms": 12.345, "instance_id": "i-1", "attempts": [attempt, attempt],
    }  # fmt: skip
    hello.answers["GET", "projects/default/services/hello/requests"] = (200, {"next": "1", "results": [record]})
    [row] = table(run("requests", "list", "hello", "--limit", "1", "--status", "5xx", "--since", "10m"))
    assert row == {
        "TIME": "2026-01-01T00:00:00.000000Z", "METHOD": "GET", "PATH": "/\\x1b[2J", "STATUS": "502",
        "CODE": "connect_failed", "MS": "12.3", "INSTANCE": "i-1", "ATTEMPTS": "2",
    }  # fmt: skip
    assert len(hello.asked) == 1
    query = hello.queries[0]
    assert (query["limit"], query["status"]) == ("1", "5xx")
    assert query["since"].endswith("+00:00")


def streaming(*records):
    content = "".join(f"data: {json.dumps(record)}\n\n" for record in records)
    head = {"content-type": "text/event-stream"}
    return httpx2.MockTransport(lambda request: httpx2.Response(200, headers=head, content=content.encode()))


def test_events_are_lines_that_cannot_drive_the_terminal(run):
    result = run("events", "tail", "--limit", "1", transport=streaming(EVENT))
    assert result.stdout == (
        "2026-01-01T00:00:00.000000Z\tReplicaHealthChanged\ti-1\thealthy -> unhealthy: probe: HTTP 503 \\x1b[31m\n"
    )


def test_events_as_json_are_one_object_a_line(run):
    other = {**EVENT, "type": "ServiceCreated", "event": {"key": "s-1"}}
    result = run("events", "tail", "--limit", "2", "--json", transport=streaming(EVENT, other))
    assert [json.loads(line)["type"] for line in result.stdout.splitlines()] == [EVENT["type"], "ServiceCreated"]


def test_events_can_be_picked_by_type(run):
    other = {**EVENT, "type": "ServiceCreated", "event": {"key": "s-1", "entity": {"name": "hello"}}}
    result = run("events", "tail", "--limit", "1", "--type", "ServiceCreated", transport=streaming(EVENT, other))
    assert result.stdout == "-\tServiceCreated\thello s-1\t-\n"


def test_certificates_and_routers_are_listed(run, fake):
    certificate = {
        "id": "*.services.localhost", "hosts": ["*.services.localhost"], "issuer": "Narthex", "serial": "1f",
        "fingerprint": "ab", "not_before": "2026-01-01T00:00:00Z", "not_after": "2026-04-01T00:00:00Z",
    }  # fmt: skip
    state = {"id": certificate["id"], "hosts": certificate["hosts"], "issuer": "internal", "certificate": certificate}
    fake.answers["GET", "certificates/states"] = (200, [state])
    worker = {"router": "r1", "worker": "0", "applied_sequence": 12, "seen": "2026-01-01T00:00:00Z"}
    fake.answers["GET", "routers"] = (200, [worker])
    assert table(run("certs", "list"))[0]["HOSTS"] == "*.services.localhost"
    assert table(run("routers", "list"))[0]["APPLIED"] == "12"


def test_a_refusal_is_one_line_without_control_characters(run, fake):
    fake.answers["GET", "projects/default/services"] = (403, {"error": "you \x1b[31mmay\nnot", "code": "forbidden"})
    result = run("services", "list")
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr == "error: you \\x1b[31mmay\\nnot\n"


def test_an_api_that_is_not_there_ends_with_3(run):
    def refuse(request):
        raise httpx2.ConnectError("[Errno 111] Connection refused")

    result = run("services", "list", transport=httpx2.MockTransport(refuse))
    assert result.exit_code == 3
    assert 'is "narthex up" running?' in result.stderr


def test_every_command_that_prints_takes_json(run, hello):
    hello.answers["GET", "projects/default/services/hello/status"] = (
        200,
        {"id": "s", "ready": True, "instances_ready": 1},
    )
    for command in (
        ("projects", "list"), ("projects", "get", "default"), ("deployments", "list"), ("deployments", "get", "hello"),
        ("versions", "list", "hello"), ("versions", "get", "hello", "v1"), ("instances", "list", "hello", "v1"),
        ("instances", "get", "hello", "v1", "i-1"), ("services", "list"), ("services", "get", "hello"),
        ("services", "status", "hello"), ("version",),
    ):  # fmt: skip
        assert json.loads(run(*command, "--json").stdout), command


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (ApiError(400, "invalid", "x"), Exit.FAILED),
        (ApiError(504, "timeout", "x"), Exit.FAILED),
        (Misconfigured("x"), Exit.USAGE),
        (Invalid("x"), Exit.USAGE),
        (ConnectionFailed("u", "r", sent=False), Exit.UNREACHABLE),
        (TimedOut("x"), Exit.TIMED_OUT),
    ],
)
def test_exit_codes_tell_failures_apart(error, code):
    assert exit_code(error) is code
