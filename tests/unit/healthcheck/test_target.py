"""What a probe connects to."""

import pytest

from narthex.contracts.entities import HealthCheck, Instance, ProbeType, Service
from narthex_healthcheck.target import resolve


def instance(address: str = "10.0.0.7", port: int | None = None) -> Instance:
    return Instance(id="i", project_id="p", deployment_id="d", version_id="v", address=address, port=port)


def service(id: str, port: int) -> Service:
    return Service(id=id, project_id="p", name=id, deployment_id="d", port=port)


SERVICES = (service("s2", 7002), service("s1", 7001))


@pytest.mark.parametrize(
    ("check", "own_port", "services", "expected"),
    [
        (HealthCheck(path="/healthz", port=8081), 9000, SERVICES, "GET http://10.0.0.7:8081/healthz"),
        (HealthCheck(path="/healthz"), 9000, SERVICES, "GET http://10.0.0.7:9000/healthz"),
        (HealthCheck(path="/healthz"), None, SERVICES, "GET http://10.0.0.7:7001/healthz"),
        (HealthCheck(port=8081), 9000, SERVICES, "connect 10.0.0.7:8081"),
        (None, 9000, (), "connect 10.0.0.7:9000"),
        (None, None, SERVICES, "connect 10.0.0.7:7001"),
        (HealthCheck(type=ProbeType.TCP, path="/healthz"), 9000, (), "connect 10.0.0.7:9000"),
        (HealthCheck(type=ProbeType.HTTP), 9000, (), "GET http://10.0.0.7:9000/"),
        (HealthCheck(type=ProbeType.HTTP, path="/up", method="HEAD"), 9000, (), "HEAD http://10.0.0.7:9000/up"),
    ],
)
def test_the_port_is_the_checks_then_the_instances_then_the_first_services(check, own_port, services, expected):
    assert str(resolve(instance(port=own_port), check, services)) == expected


def test_without_any_port_there_is_no_target():
    assert resolve(instance(), HealthCheck(path="/"), ()) is None


def test_an_ipv6_address_stands_in_brackets():
    assert str(resolve(instance("fd00::7", 9000), HealthCheck(path="/up"), ())) == "GET http://[fd00::7]:9000/up"


def test_an_interval_of_zero_is_no_busy_loop():
    target = resolve(instance(port=9000), HealthCheck(interval=0, timeout=0), ())
    assert target is not None
    assert target.interval_s > 0
    assert target.timeout_s > 0


@pytest.mark.parametrize(
    ("expected", "status", "good"),
    [("200-399", 399, True), ("200-399", 400, False), ("200,401", 401, True), ("200,401", 201, False)],
)
def test_an_answer_is_good_when_its_status_is_expected(expected, status, good):
    target = resolve(instance(port=9000), HealthCheck(path="/", expected_status=expected), ())
    assert target is not None
    assert target.question is not None
    assert target.question.outcome(status).good is good
