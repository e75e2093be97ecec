"""What `narthex run` decides: places, restarts, texts, and what it finds or makes."""

import socket
from pathlib import Path

import httpx2
import pytest

from narthex.cli.run.objects import Objects
from narthex.cli.run.placement import Place, choose_places, is_free
from narthex.cli.run.plan import Plan, curl_line, environment, epitaph, filled, restart_delay
from narthex.cli.run.replica import Fate
from narthex.client import ApiError, Client
from narthex.client.profiles import Profile
from narthex.contracts.api import ServiceDetail
from narthex.contracts.errors import Misconfigured

COMMAND = ["server", "--bind", "{host}:{port}"]


def test_each_replica_gets_a_loopback_address_of_its_own():
    taken = {("127.0.1.2", 9000)}
    places = choose_places(3, 9000, True, lambda host, port: (host, port) not in taken)
    assert places == [Place("127.0.1.1", 9000), Place("127.0.1.3", 9000), Place("127.0.1.4", 9000)]


def test_a_command_that_is_not_told_its_address_gets_a_port_of_its_own():
    places = choose_places(3, 9000, False, lambda host, port: port != 9001)
    assert places == [Place("127.0.0.1", 9000), Place("127.0.0.1", 9002, True), Place("127.0.0.1", 9003, True)]


def test_a_system_with_one_loopback_address_uses_ports():
    places = choose_places(2, 9000, True, lambda host, port: host == "0.0.0.0")
    assert places == [Place("127.0.0.1", 9000), Place("127.0.0.1", 9001, True)]


def test_too_few_places_are_said():
    with pytest.raises(Misconfigured, match="not 3 free ports from 65534 on"):
        choose_places(3, 65534, False, lambda host, port: True)


def test_a_place_is_taken_while_somebody_listens_there():
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        assert not is_free("127.0.0.1", port)
        assert not is_free("0.0.0.0", port)
        assert is_free("127.0.1.1", port)
    assert is_free("127.0.0.1", port)


def test_an_address_that_is_not_this_machines_is_not_free():
    assert not is_free("192.0.2.1", 9000)


def test_placeholders_are_filled_wherever_they_stand_and_other_braces_stay():
    command = ["x", "--bind", "{host}:{port}", '{"a": {}}', "{other}"]
    assert filled(command, "127.0.1.1", 9000) == ["x", "--bind", "127.0.1.1:9000", '{"a": {}}', "{other}"]


def test_a_replica_finds_its_place_in_the_environment():
    env = environment({"HOST": "old", "PATH": "/bin", "PYTHONUNBUFFERED": ""}, "127.0.1.1", 9000)
    assert env == {"HOST": "127.0.1.1", "PORT": "9000", "PATH": "/bin", "PYTHONUNBUFFERED": ""}


def test_restarts_wait_longer_each_time_up_to_ten_seconds():
    assert [restart_delay(n) for n in (1, 2, 3, 6, 7, 100)] == [0.2, 0.4, 0.8, 6.4, 10.0, 10.0]


def test_a_replica_that_lived_for_ten_seconds_starts_counting_anew():
    fate = Fate()
    assert [fate.after(0.1), fate.after(0.1), fate.after(9.9), fate.after(10.0)] == [0.2, 0.4, 0.8, 0.2]


@pytest.mark.parametrize(
    ("code", "line", "text"),
    [
        (1, "ImportError: no", "exited with 1: ImportError: no"),
        (0, "", "exited with 0"),
        (-9, "", "killed by signal 9"),
        (1, "x" * 1000, "exited with 1: " + "x" * 300),
    ],
)
def test_an_end_is_told_in_a_line(code, line, text):
    assert epitaph(code, line) == text


def service(**more):
    fields = {"id": "s", "name": "hello", "deployment": "hello", "port": 9000, "endpoint": "https://s.test:8443"}
    return ServiceDetail.model_validate({**fields, "time_created": 0, "time_updated": 0, **more})


def test_the_curl_line_can_be_pasted():
    profile = Profile(
        "http://a", "nx", token_file=Path("/w/my data/admin.token"), ca_file=Path("/w/my data/../ca/root.pem")
    )
    assert curl_line(service(), profile, Path("/w")) == (
        "curl --cacert ca/root.pem -H \"Authorization: Token $(cat 'my data/admin.token')\" https://s.test:8443/"
    )


def test_the_curl_line_holds_no_token_and_only_what_is_needed():
    profile = Profile("http://a", "nx_secret")
    assert curl_line(service(), profile, Path("/w")) == (
        'curl -H "Authorization: Token $NARTHEX_TOKEN" https://s.test:8443/'
    )
    assert curl_line(service(authentication_required=False), profile, Path("/w")) == "curl https://s.test:8443/"


@pytest.fixture
def said():
    return []


@pytest.fixture
def objects(fake, said):
    return Objects(Client("http://api.test", "t", transport=httpx2.MockTransport(fake)), said.append)


def test_what_is_missing_is_made(objects, fake, said):
    plan = Plan("hello", COMMAND, 9000, version="v2", health_path="/up", public=True)
    assert objects.ensure(plan).name == "hello"
    assert said == ["made deployment hello", "made version v2", "made service hello"]
    made = {path: body for method, path, body in fake.asked if method == "POST"}
    assert list(made.values()) == [
        {"name": "hello", "supports_request_format": False},
        {"version": "v2", "health_check": {"path": "/up"}},
        {"name": "hello", "deployment": "hello", "port": 9000, "authentication_required": False},
    ]


def test_what_is_there_is_kept_and_differences_are_said(objects, fake, said):
    objects.ensure(Plan("hello", COMMAND, 9000))
    fake.things["projects/default/deployments/hello"]["default_version"] = "v1"
    said.clear()
    fake.asked.clear()
    objects.ensure(Plan("hello", COMMAND, 9001, version="v2", public=True))
    objects.ensure(Plan("hello", COMMAND, 9000, version="v1", health_path="/up"))
    assert said == [
        "found deployment hello", "made version v2", "found service hello",
        "note: service hello serves version v1, not v2",
        "note: service hello has port 9000; these instances use 9001",
        "note: service hello still asks for a token: narthex services update hello --public",
        "found deployment hello", "found version v1", "found service hello",
        "note: version v1 is still probed at its port, not /up",
    ]  # fmt: skip
    assert [path for method, path, _ in fake.asked if method not in ("GET", "POST")] == []


def test_a_service_of_another_deployment_is_not_taken_over(objects, fake):
    fake.put("projects/default/services/hello", {"name": "hello", "deployment": "other", "port": 9000})
    with pytest.raises(Misconfigured, match="serves deployment other"):
        objects.ensure(Plan("hello", COMMAND, 9000))
    assert all(method == "GET" for method, _, _ in fake.asked)


def test_when_a_step_is_refused_nothing_made_is_left(objects, fake):
    fake.answers["POST", "projects/default/services"] = (400, {"error": "public services are not allowed here"})
    with pytest.raises(ApiError, match="not allowed"):
        objects.ensure(Plan("hello", COMMAND, 9000, public=True))
    assert list(fake.things) == ["projects/default"]


def test_somebody_elses_quicker_hand_is_no_failure(objects, fake, said):
    plan = Plan("hello", COMMAND, 9000)
    answer = fake.answer

    def raced(method, path, body):
        if method == "POST" and path.endswith("/deployments"):
            answer(method, path, body)  # the other one
        return answer(method, path, body)

    fake.answer = raced
    objects.ensure(plan)
    assert said[0] == "found deployment hello"
