"""The operations as methods of nouns: `client.services.get("web")`. The same table for both clients.

The one thing to know: a noun of `Client` is `Services[Blocking]`, one of `AsyncClient` is `Services[Awaited]`. That is
for the type checker only, which reads from it whether a method gives its result or something to await.
"""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from functools import update_wrapper
from typing import Any, Generic, ParamSpec, Protocol, TypeVar, overload

from narthex.client.call import Listing, Operation
from narthex.client.operations import (
    account,
    activity,
    catalogue,
    deployments,
    installation,
    instances,
    limits,
    metrics,
    organizations,
    people,
    projects,
    requests,
    roles,
    service_users,
    services,
    versions,
    webhooks,
)
from narthex.contracts.api import EventRecord
from narthex.contracts.errors import NarthexError

P = ParamSpec("P")
R = TypeVar("R")
Item = TypeVar("Item")
Mode = TypeVar("Mode")
OnLost = Callable[[NarthexError], None]


class Blocking:
    """Methods return their result."""


class Awaited:
    """Methods return something to await."""


class Carrier(Protocol):
    """What carries operations out: one of the clients."""

    def run(self, operation: Operation[Any]) -> Any: ...

    def iterate(self, listing: Listing[Any, Any]) -> Any: ...

    def stream_events(self, path: list[str | None], on_lost: OnLost | None = None) -> Any: ...


class Noun(Generic[Mode]):
    """The operations on one kind of thing."""

    def __init__(self, carrier: Carrier) -> None:
        self._carrier = carrier


class _calling(Generic[P, R]):  # noqa: N801 - reads as a decorator
    """An operation as a method."""

    def __init__(self, make: Callable[P, Operation[R]]) -> None:
        self._make = make

    @overload
    def __get__(self, noun: Noun[Blocking], owner: type[Any] | None = None) -> Callable[P, R]: ...
    @overload
    def __get__(self, noun: Noun[Awaited], owner: type[Any] | None = None) -> Callable[P, Awaitable[R]]: ...
    def __get__(self, noun: Noun[Any], owner: type[Any] | None = None) -> Callable[P, Any]:
        def method(*args: P.args, **kwargs: P.kwargs) -> Any:
            return noun._carrier.run(self._make(*args, **kwargs))

        return update_wrapper(method, self._make)


class _listing(Generic[P, Item]):  # noqa: N801
    """A paged list as a method that returns an iterator over all of it, page by page as it is consumed."""

    def __init__(self, make: Callable[P, Listing[Any, Item]]) -> None:
        self._make = make

    @overload
    def __get__(self, noun: Noun[Blocking], owner: type[Any] | None = None) -> Callable[P, Iterator[Item]]: ...
    @overload
    def __get__(self, noun: Noun[Awaited], owner: type[Any] | None = None) -> Callable[P, AsyncIterator[Item]]: ...
    def __get__(self, noun: Noun[Any], owner: type[Any] | None = None) -> Callable[P, Any]:
        def method(*args: P.args, **kwargs: P.kwargs) -> Any:
            return noun._carrier.iterate(self._make(*args, **kwargs))

        return update_wrapper(method, self._make)


class Installation(Noun[Mode]):
    status = _calling(installation.status)
    permissions = _calling(installation.list_permissions)


class Account(Noun[Mode]):
    """Whom the token belongs to."""

    sign_in = _calling(account.sign_in)
    sign_out = _calling(account.sign_out)
    get = _calling(account.get_account)
    update = _calling(account.update_account)
    delete = _calling(account.delete_account)


class Tokens(Noun[Mode]):
    """One's own."""

    list = _calling(account.list_tokens)
    create = _calling(account.create_token)
    delete = _calling(account.delete_token)


class People(Noun[Mode]):
    list = _calling(people.list_people)
    get = _calling(people.get_person)
    create = _calling(people.create_person)
    update = _calling(people.update_person)
    delete = _calling(people.delete_person)


class OrganizationUsers(Noun[Mode]):
    list = _calling(organizations.list_organization_users)
    get = _calling(organizations.get_organization_user)
    add = _calling(organizations.add_organization_user)
    update = _calling(organizations.update_organization_user)
    remove = _calling(organizations.remove_organization_user)


class Organizations(Noun[Mode]):
    list = _calling(organizations.list_organizations)
    get = _calling(organizations.get_organization)
    create = _calling(organizations.create_organization)
    update = _calling(organizations.update_organization)


class Projects(Noun[Mode]):
    list = _calling(projects.list_projects)
    get = _calling(projects.get_project)
    create = _calling(projects.create_project)
    update = _calling(projects.update_project)
    delete = _calling(projects.delete_project)
    resources = _calling(projects.get_resources)
    quotas = _calling(projects.list_quotas)


class Members(Noun[Mode]):
    """People in the project."""

    list = _calling(projects.list_members)
    get = _calling(projects.get_member)
    add = _calling(projects.add_member)
    remove = _calling(projects.remove_member)


class ServiceUsers(Noun[Mode]):
    list = _calling(service_users.list_service_users)
    get = _calling(service_users.get_service_user)
    create = _calling(service_users.create_service_user)
    update = _calling(service_users.update_service_user)
    delete = _calling(service_users.delete_service_user)
    reset_token = _calling(service_users.reset_service_user_token)


class Roles(Noun[Mode]):
    list = _calling(roles.list_roles)
    get = _calling(roles.get_role)
    create = _calling(roles.create_role)
    update = _calling(roles.update_role)
    delete = _calling(roles.delete_role)


class Assignments(Noun[Mode]):
    """Roles given."""

    list = _calling(roles.list_assignments)
    get = _calling(roles.get_assignment)
    create = _calling(roles.create_assignment)
    delete = _calling(roles.delete_assignment)


class Deployments(Noun[Mode]):
    list = _calling(deployments.list_deployments)
    get = _calling(deployments.get_deployment)
    get_tagged = _calling(deployments.get_tagged_deployment)
    find = _calling(deployments.find_deployment)
    create = _calling(deployments.create_deployment)
    update = _calling(deployments.update_deployment)
    delete = _calling(deployments.delete_deployment)


class Versions(Noun[Mode]):
    list = _calling(versions.list_versions)
    get = _calling(versions.get_version)
    get_tagged = _calling(versions.get_tagged_version)
    find = _calling(versions.find_version)
    create = _calling(versions.create_version)
    update = _calling(versions.update_version)
    delete = _calling(versions.delete_version)
    revisions = _calling(versions.list_revisions)
    get_revision = _calling(versions.get_revision)


class Instances(Noun[Mode]):
    list = _listing(instances.list_instances)
    list_project = _listing(instances.list_project_instances)
    get = _calling(instances.get_instance)
    get_in_project = _calling(instances.get_project_instance)
    create = _calling(instances.create_instance)
    renew = _calling(instances.renew_instance)
    stop = _calling(instances.stop_instance)
    stop_in_project = _calling(instances.stop_project_instance)
    delete = _calling(instances.delete_instance)
    events = _listing(instances.list_instance_events)
    health = _calling(instances.list_health_changes)
    wait_until_gone = _calling(instances.wait_until_instance_gone)


class Services(Noun[Mode]):
    list = _listing(services.list_services)
    get = _calling(services.get_service)
    get_tagged = _calling(services.get_tagged_service)
    find = _calling(services.find_service)
    create = _calling(services.create_service)
    update = _calling(services.update_service)
    delete = _calling(services.delete_service)
    status = _calling(services.get_service_status)
    propagation = _calling(services.get_propagation)
    wait_until_applied = _calling(services.wait_until_applied)
    wait_until_ready = _calling(services.wait_until_ready)


class Limits(Noun[Mode]):
    """Limits of single users at a service."""

    list = _calling(limits.list_user_limits)
    get = _calling(limits.get_user_limit)
    find = _calling(limits.find_user_limit)
    create = _calling(limits.create_user_limit)
    update = _calling(limits.update_user_limit)
    delete = _calling(limits.delete_user_limit)


class Requests(Noun[Mode]):
    list = _listing(requests.list_requests)
    list_version = _listing(requests.list_version_requests)
    list_project = _listing(requests.list_project_requests)
    get = _calling(requests.get_request)
    body = _calling(requests.get_request_body)
    collect = _calling(requests.collect_requests)
    delete = _calling(requests.delete_request)
    delete_many = _calling(requests.delete_requests)


class Metrics(Noun[Mode]):
    list = _calling(metrics.list_metrics)
    get = _calling(metrics.get_metric)
    create = _calling(metrics.create_metric)
    update = _calling(metrics.update_metric)
    delete = _calling(metrics.delete_metric)
    data = _calling(metrics.get_time_series)
    series = _listing(metrics.list_series)
    delete_series = _calling(metrics.delete_series)
    add = _calling(metrics.add_points)
    aggregate = _calling(metrics.aggregate_points)


class Webhooks(Noun[Mode]):
    list = _calling(webhooks.list_webhooks)
    get = _calling(webhooks.get_webhook)
    create = _calling(webhooks.create_webhook)
    update = _calling(webhooks.update_webhook)
    delete = _calling(webhooks.delete_webhook)
    calls = _listing(webhooks.list_webhook_calls)
    create_test = _calling(webhooks.create_webhook_test)
    get_test = _calling(webhooks.get_webhook_test)


class Certificates(Noun[Mode]):
    list = _calling(installation.list_certificates)


class Routers(Noun[Mode]):
    list = _calling(installation.list_routers)


class Catalogue(Noun[Mode]):
    """What versions name and Narthex does not keep."""

    environments = _calling(catalogue.list_environments)
    get_environment = _calling(catalogue.get_environment)
    tags = _calling(catalogue.list_environment_tags)
    get_tag = _calling(catalogue.get_environment_tag)
    variables = _calling(catalogue.list_variables)
    instance_types = _listing(catalogue.list_instance_types)
    groups = _listing(catalogue.list_instance_type_groups)
    get_group = _calling(catalogue.get_instance_type_group)
    group_uses = _listing(catalogue.list_instance_type_group_uses)


class Activity(Noun[Mode]):
    audit = _listing(activity.list_audit)
    logs = _calling(activity.list_logs)


class Events(Noun[Mode]):
    list = _listing(activity.list_events)

    @overload
    def stream(
        self: "Events[Blocking]", *, project: str | None = None, on_lost: OnLost | None = None
    ) -> Iterator[EventRecord]: ...
    @overload
    def stream(
        self: "Events[Awaited]", *, project: str | None = None, on_lost: OnLost | None = None
    ) -> AsyncIterator[EventRecord]: ...
    def stream(self, *, project: str | None = None, on_lost: OnLost | None = None) -> Any:
        """The events of a project as they happen, without end.

        When the connection breaks, `on_lost` is called and the stream goes on with what happens from then on;
        ConnectionFailed comes only if the API stays away for `Retry.total_s`.
        """
        return self._carrier.stream_events(activity.events_path(project), on_lost)


class Nouns(Generic[Mode]):
    """Everything that a client has operations on."""

    def __init__(self, carrier: Carrier) -> None:
        self.installation = Installation[Mode](carrier)
        self.account = Account[Mode](carrier)
        self.tokens = Tokens[Mode](carrier)
        self.people = People[Mode](carrier)
        self.organizations = Organizations[Mode](carrier)
        self.organization_users = OrganizationUsers[Mode](carrier)
        self.projects = Projects[Mode](carrier)
        self.members = Members[Mode](carrier)
        self.service_users = ServiceUsers[Mode](carrier)
        self.roles = Roles[Mode](carrier)
        self.assignments = Assignments[Mode](carrier)
        self.deployments = Deployments[Mode](carrier)
        self.versions = Versions[Mode](carrier)
        self.instances = Instances[Mode](carrier)
        self.services = Services[Mode](carrier)
        self.limits = Limits[Mode](carrier)
        self.requests = Requests[Mode](carrier)
        self.metrics = Metrics[Mode](carrier)
        self.webhooks = Webhooks[Mode](carrier)
        self.certificates = Certificates[Mode](carrier)
        self.routers = Routers[Mode](carrier)
        self.catalogue = Catalogue[Mode](carrier)
        self.activity = Activity[Mode](carrier)
        self.events = Events[Mode](carrier)
