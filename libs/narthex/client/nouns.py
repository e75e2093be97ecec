"""The operations as methods of nouns: `client.services.get("web")`. The same table for both clients."""

from typing import Generic

from narthex.client.methods import Carrier, Mode, Noun, calling, listing, streaming
from narthex.client.operations import (
    account,
    activity,
    catalogue,
    certificates,
    deployments,
    domains,
    doors,
    installation,
    instances,
    limits,
    metrics,
    organizations,
    people,
    projects,
    requests,
    roles,
    rollouts,
    service_users,
    services,
    variables,
    versions,
    webhooks,
)


class Installation(Noun[Mode]):
    status = calling(installation.status)
    permissions = calling(installation.list_permissions)
    discovery = calling(installation.list_discovery)
    state = calling(installation.get_installation)
    dead_letters = calling(installation.list_dead_letters)
    dead_letter = calling(installation.get_dead_letter)
    retry_dead_letter = calling(installation.retry_dead_letter)
    discard_dead_letter = calling(installation.discard_dead_letter)


class Account(Noun[Mode]):
    """Whom the token belongs to."""

    sign_in = calling(account.sign_in)
    sign_out = calling(account.sign_out)
    sign_in_options = calling(account.sign_in_options)
    session = calling(account.get_session)
    end_session = calling(account.end_session)
    permissions = calling(account.held_permissions)
    get = calling(account.get_account)
    update = calling(account.update_account)
    delete = calling(account.delete_account)


class Tokens(Noun[Mode]):
    """One's own."""

    list = calling(account.list_tokens)
    create = calling(account.create_token)
    delete = calling(account.delete_token)


class People(Noun[Mode]):
    list = calling(people.list_people)
    get = calling(people.get_person)
    create = calling(people.create_person)
    update = calling(people.update_person)
    delete = calling(people.delete_person)


class OrganizationUsers(Noun[Mode]):
    list = calling(organizations.list_organization_users)
    get = calling(organizations.get_organization_user)
    add = calling(organizations.add_organization_user)
    update = calling(organizations.update_organization_user)
    remove = calling(organizations.remove_organization_user)


class Organizations(Noun[Mode]):
    list = calling(organizations.list_organizations)
    get = calling(organizations.get_organization)
    create = calling(organizations.create_organization)
    update = calling(organizations.update_organization)


class Projects(Noun[Mode]):
    list = calling(projects.list_projects)
    get = calling(projects.get_project)
    create = calling(projects.create_project)
    update = calling(projects.update_project)
    delete = calling(projects.delete_project)
    resources = calling(projects.get_resources)
    quotas = calling(projects.list_quotas)


class Members(Noun[Mode]):
    """People in the project."""

    list = calling(projects.list_members)
    get = calling(projects.get_member)
    add = calling(projects.add_member)
    remove = calling(projects.remove_member)


class ServiceUsers(Noun[Mode]):
    list = calling(service_users.list_service_users)
    get = calling(service_users.get_service_user)
    create = calling(service_users.create_service_user)
    update = calling(service_users.update_service_user)
    delete = calling(service_users.delete_service_user)
    reset_token = calling(service_users.reset_service_user_token)


class Roles(Noun[Mode]):
    list = calling(roles.list_roles)
    get = calling(roles.get_role)
    create = calling(roles.create_role)
    update = calling(roles.update_role)
    delete = calling(roles.delete_role)


class Assignments(Noun[Mode]):
    """Roles given."""

    list = calling(roles.list_assignments)
    get = calling(roles.get_assignment)
    create = calling(roles.create_assignment)
    delete = calling(roles.delete_assignment)


class Deployments(Noun[Mode]):
    list = calling(deployments.list_deployments)
    get = calling(deployments.get_deployment)
    get_tagged = calling(deployments.get_tagged_deployment)
    find = calling(deployments.find_deployment)
    create = calling(deployments.create_deployment)
    update = calling(deployments.update_deployment)
    delete = calling(deployments.delete_deployment)


class Versions(Noun[Mode]):
    list = calling(versions.list_versions)
    get = calling(versions.get_version)
    get_tagged = calling(versions.get_tagged_version)
    find = calling(versions.find_version)
    create = calling(versions.create_version)
    update = calling(versions.update_version)
    delete = calling(versions.delete_version)
    revisions = calling(versions.list_revisions)
    get_revision = calling(versions.get_revision)


class Variables(Noun[Mode]):
    """Environment variables."""

    list = calling(variables.list_variables)
    get = calling(variables.get_variable)
    create = calling(variables.create_variable)
    update = calling(variables.update_variable)
    delete = calling(variables.delete_variable)
    copy = calling(variables.copy_variables)


class Instances(Noun[Mode]):
    list = listing(instances.list_instances)
    list_project = listing(instances.list_project_instances)
    get = calling(instances.get_instance)
    get_in_project = calling(instances.get_project_instance)
    create = calling(instances.create_instance)
    renew = calling(instances.renew_instance)
    stop = calling(instances.stop_instance)
    stop_in_project = calling(instances.stop_project_instance)
    delete = calling(instances.delete_instance)
    events = listing(instances.list_instance_events)
    health = calling(instances.list_health_changes)
    wait_until_gone = calling(instances.wait_until_instance_gone)


class Services(Noun[Mode]):
    list = listing(services.list_services)
    get = calling(services.get_service)
    get_tagged = calling(services.get_tagged_service)
    find = calling(services.find_service)
    create = calling(services.create_service)
    update = calling(services.update_service)
    delete = calling(services.delete_service)
    live = calling(services.live_services)
    watch = streaming(services.watch_services)
    chart = calling(services.get_chart)
    certificates = calling(services.list_service_certificates)
    status = calling(services.get_service_status)
    propagation = calling(services.get_propagation)
    wait_until_applied = calling(services.wait_until_applied)
    wait_until_ready = calling(services.wait_until_ready)


class Rollouts(Noun[Mode]):
    """A service goes over to another version in steps."""

    list = calling(rollouts.list_rollouts)
    get = calling(rollouts.get_rollout)
    create = calling(rollouts.create_rollout)
    stop = calling(rollouts.stop_rollout)
    resume = calling(rollouts.resume_rollout)
    go_back = calling(rollouts.go_back_rollout)
    promote = calling(rollouts.promote_rollout)
    wait_until_over = calling(rollouts.wait_until_rollout_over)


class Limits(Noun[Mode]):
    """Limits of single users at a service."""

    use = calling(limits.list_limit_use)
    list = calling(limits.list_user_limits)
    get = calling(limits.get_user_limit)
    find = calling(limits.find_user_limit)
    create = calling(limits.create_user_limit)
    update = calling(limits.update_user_limit)
    delete = calling(limits.delete_user_limit)


class Doors(Noun[Mode]):
    """Other ways into a service than a token."""

    basic_users = calling(doors.list_basic_users)
    set_basic_users = calling(doors.set_basic_users)
    share = calling(doors.share_service)
    withdraw_shares = calling(doors.withdraw_shares)


class Requests(Noun[Mode]):
    list = listing(requests.list_requests)
    get_of_service = calling(requests.get_service_request)
    explain = calling(requests.explain_request)
    explain_any = calling(requests.explain_any_request)
    stream = streaming(requests.stream_requests)
    list_version = listing(requests.list_version_requests)
    list_project = listing(requests.list_project_requests)
    get = calling(requests.get_request)
    body = calling(requests.get_request_body)
    collect = calling(requests.collect_requests)
    delete = calling(requests.delete_request)
    delete_many = calling(requests.delete_requests)


class Metrics(Noun[Mode]):
    list = calling(metrics.list_metrics)
    get = calling(metrics.get_metric)
    create = calling(metrics.create_metric)
    update = calling(metrics.update_metric)
    delete = calling(metrics.delete_metric)
    data = calling(metrics.get_time_series)
    series = listing(metrics.list_series)
    delete_series = calling(metrics.delete_series)
    add = calling(metrics.add_points)
    aggregate = calling(metrics.aggregate_points)


class Webhooks(Noun[Mode]):
    list = calling(webhooks.list_webhooks)
    get = calling(webhooks.get_webhook)
    create = calling(webhooks.create_webhook)
    update = calling(webhooks.update_webhook)
    delete = calling(webhooks.delete_webhook)
    calls = listing(webhooks.list_webhook_calls)
    create_test = calling(webhooks.create_webhook_test)
    get_test = calling(webhooks.get_webhook_test)


class Certificates(Noun[Mode]):
    list = calling(certificates.list_certificates)
    states = calling(certificates.list_states)
    get = calling(certificates.get_state)
    renew = calling(certificates.renew)
    rehearse = calling(certificates.rehearse)
    change_account_key = calling(certificates.change_account_key)


class Domains(Noun[Mode]):
    """Names of their owners' own."""

    list = calling(domains.list_domains)
    add = calling(domains.add_domain)
    verify = calling(domains.verify_domain)
    remove = calling(domains.remove_domain)


class Routers(Noun[Mode]):
    list = calling(installation.list_routers)


class Catalogue(Noun[Mode]):
    """What versions name and Narthex does not keep."""

    environments = calling(catalogue.list_environments)
    get_environment = calling(catalogue.get_environment)
    tags = calling(catalogue.list_environment_tags)
    get_tag = calling(catalogue.get_environment_tag)
    instance_types = listing(catalogue.list_instance_types)
    groups = listing(catalogue.list_instance_type_groups)
    get_group = calling(catalogue.get_instance_type_group)
    group_uses = listing(catalogue.list_instance_type_group_uses)


class Activity(Noun[Mode]):
    audit = listing(activity.list_audit)
    logs = calling(activity.list_logs)


class Events(Noun[Mode]):
    list = listing(activity.list_events)
    stream = streaming(activity.stream_events)


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
        self.variables = Variables[Mode](carrier)
        self.instances = Instances[Mode](carrier)
        self.services = Services[Mode](carrier)
        self.limits = Limits[Mode](carrier)
        self.doors = Doors[Mode](carrier)
        self.requests = Requests[Mode](carrier)
        self.metrics = Metrics[Mode](carrier)
        self.webhooks = Webhooks[Mode](carrier)
        self.rollouts = Rollouts[Mode](carrier)
        self.certificates = Certificates[Mode](carrier)
        self.domains = Domains[Mode](carrier)
        self.routers = Routers[Mode](carrier)
        self.catalogue = Catalogue[Mode](carrier)
        self.activity = Activity[Mode](carrier)
        self.events = Events[Mode](carrier)
