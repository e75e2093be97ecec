"""A large routing table, as the registry's facts would make it: for scale, not for serving.

Each service has all that comes with it: a deployment and a version of its own, instances, their health; one project for
a hundred of them.
"""

from collections.abc import Iterator

from narthex.routing import Entry, Kind

INSTANCES = 3  # of each service
CHECKED = 1_767_225_600_000  # Unix milliseconds
SEQUENCE = 1 << 40  # later than any snapshot of the registry, which therefore does not bury them
_TIMES = b'"created_at":"2026-01-01T00:00:00Z","updated_at":"2026-01-01T00:00:00Z"'


def entries(services: int, sequence: int = SEQUENCE) -> Iterator[Entry]:
    """Services that each have a deployment of their own and healthy instances."""
    for number in range(services):
        deployment, version = identifier(1, number), identifier(2, number)
        if number % 100 == 0:
            project = _project(number)
            yield Entry(
                Kind.PROJECT, project.decode(), 1, sequence, b'{"id":"%b","name":"project-%d"}' % (project, number)
            )
        yield Entry(Kind.DEPLOYMENT, deployment, 1, sequence, _deployment(deployment, version, number))
        yield Entry(Kind.VERSION, version, 1, sequence, _version(version, deployment, number))
        service = identifier(0, number)
        yield Entry(Kind.SERVICE, service, 1, sequence, _service(service, deployment, number))
        for replica in range(INSTANCES):
            instance = identifier(3 + replica, number)
            payload = _instance(instance, deployment, version, number)
            yield Entry(Kind.INSTANCE, instance, 1, sequence, payload)
            health = b'{"id":"%b","health":"healthy","reason":"probe: connected"}' % instance.encode()
            yield Entry(
                Kind.HEALTH, instance, CHECKED + number, 0, health
            )  # revisions of health are times (decision 4)


def identifier(kind: int, number: int) -> str:
    """A UUID in form."""
    return f"{kind:08x}-0000-7000-8000-{number:012x}"


def _deployment(deployment: str, version: str, number: int) -> bytes:
    return b'{"id":"%b","revision":1,%b,"project_id":"%b","name":"deployment-%d","default_version_id":"%b"}' % (
        deployment.encode(), _TIMES, _project(number), number, version.encode(),
    )  # fmt: skip


def _version(version: str, deployment: str, number: int) -> bytes:
    return (
        b'{"id":"%b","revision":1,%b,"project_id":"%b","deployment_id":"%b","name":"v1","health_check":{"path":"/health",'
        b'"port":9000,"interval":5.0,"timeout":3.0,"failure_threshold":1,"success_threshold":1}}'
        % (version.encode(), _TIMES, _project(number), deployment.encode())
    )


def _service(service: str, deployment: str, number: int) -> bytes:
    return (
        b'{"id":"%b","revision":1,%b,"project_id":"%b","name":"service-%d","deployment_id":"%b","version_id":null,'
        b'"port":9000,"authentication_required":true,"authentication_method_token_enabled":true,'
        b'"authentication_header_pass_through":false,"request_logging_excluded_paths":"",'
        b'"request_logging_excluded_extensions":[],"rate_limit":60000,"rate_limit_user_default":null,'
        b'"concurrency_limit":1000,"concurrency_limit_user_default":null,"balancing":"least_of_two","affinity":null,'
        b'"connect_timeout":null,"first_byte_timeout":null,"idle_timeout":null,"total_timeout":null,'
        b'"max_body_bytes":null,"instance_concurrency_limit":null,"instance_max_wait":0.0}'
        % (service.encode(), _TIMES, _project(number), number, deployment.encode())
    )


def _instance(instance: str, deployment: str, version: str, number: int) -> bytes:
    return (
        b'{"id":"%b","revision":1,%b,"project_id":"%b","deployment_id":"%b","version_id":"%b",'
        b'"address":"10.%d.%d.%d","port":null,"weight":1,"stopping":false,"identity":null}'
        % (
            instance.encode(), _TIMES, _project(number), deployment.encode(), version.encode(),
            number >> 16 & 255, number >> 8 & 255, number & 255,
        )
    )  # fmt: skip


def _project(number: int) -> bytes:
    return identifier(9, number // 100).encode()
