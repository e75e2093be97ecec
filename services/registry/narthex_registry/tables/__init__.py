"""The tables. Rows that events tell of carry `revision` and `sequence` of their last change.

Only what SQLite and PostgreSQL share is used. Ids are UUIDv7 in text form, so the order of ids is the order of
creation.
"""

from narthex_registry.tables.base import Base as Base
from narthex_registry.tables.base import Moment as Moment
from narthex_registry.tables.base import Row as Row
from narthex_registry.tables.base import now as now
from narthex_registry.tables.catalogue import Deployment as Deployment
from narthex_registry.tables.catalogue import Instance as Instance
from narthex_registry.tables.catalogue import Project as Project
from narthex_registry.tables.catalogue import Service as Service
from narthex_registry.tables.catalogue import UserLimit as UserLimit
from narthex_registry.tables.catalogue import Version as Version
from narthex_registry.tables.discovery import DiscoveryProvider as DiscoveryProvider
from narthex_registry.tables.domains import Domain as Domain
from narthex_registry.tables.metrics import Metric as Metric
from narthex_registry.tables.metrics import Series as Series
from narthex_registry.tables.people import Organization as Organization
from narthex_registry.tables.people import OrganizationMember as OrganizationMember
from narthex_registry.tables.people import ProjectMember as ProjectMember
from narthex_registry.tables.people import Role as Role
from narthex_registry.tables.people import RoleAssignment as RoleAssignment
from narthex_registry.tables.people import Session as Session
from narthex_registry.tables.people import Token as Token
from narthex_registry.tables.people import User as User
from narthex_registry.tables.records import AuditEvent as AuditEvent
from narthex_registry.tables.records import Counter as Counter
from narthex_registry.tables.records import Outbox as Outbox
from narthex_registry.tables.records import ProjectEvent as ProjectEvent
from narthex_registry.tables.rollouts import Rollout as Rollout
from narthex_registry.tables.variables import EnvironmentVariable as EnvironmentVariable
from narthex_registry.tables.webhooks import Webhook as Webhook
from narthex_registry.tables.webhooks import WebhookCall as WebhookCall
