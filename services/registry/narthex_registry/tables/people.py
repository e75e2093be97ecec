"""Who may do what: organizations, users, tokens, roles and their assignments."""

from datetime import datetime
from typing import Any, ClassVar

from sqlalchemy import ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from narthex.contracts.ids import new_id
from narthex_registry.tables.base import Base, Row, now


class Organization(Row):
    __tablename__ = "organizations"

    noun = "organization"

    name: Mapped[str] = mapped_column(unique=True)


class OrganizationMember(Row):
    """A person in an organization; its admins may do everything in its projects."""

    __tablename__ = "organization_members"
    __table_args__ = (UniqueConstraint("organization_id", "user_id"), Index(None, "user_id"))

    noun = "organization_user"

    organization_id: Mapped[str] = mapped_column(ForeignKey("organizations.id"))
    user_id: Mapped[str] = mapped_column(ForeignKey("users.id"))
    admin: Mapped[bool] = mapped_column(default=False)


class ProjectMember(Row):
    """A person in a project; what they may do there is up to roles."""

    __tablename__ = "project_members"
    __table_args__ = (UniqueConstraint("project_id", "user_id"), Index(None, "user_id"))

    noun = "project_user"

    project_id: Mapped[str] = mapped_column(ForeignKey("projects.id"))
    user_id: Mapped[str] = mapped_column(ForeignKey("users.id"))


class User(Row):
    """A person, or a service user of one project. Its revision is that of its access."""

    __tablename__ = "users"
    __table_args__ = (Index(None, "project_id"),)

    noun = "user"
    unaudited: ClassVar[frozenset[str]] = frozenset({"access", "browsers_from"})
    secret: ClassVar[frozenset[str]] = frozenset({"password_hash"})

    email: Mapped[str] = mapped_column(unique=True)
    name: Mapped[str | None]
    surname: Mapped[str | None]
    administrator: Mapped[bool] = mapped_column(default=False)  # may do everything
    password_hash: Mapped[str | None]  # None: signs in with tokens only
    # Set: a service user of it. No foreign key: SQLite cannot add one to a table that others refer to.
    project_id: Mapped[str | None] = mapped_column(String(36))
    description: Mapped[str | None]
    expires: Mapped[datetime | None]  # of a service user
    # What it may call, worked out from its roles by `access.refresh`: projects, deployments, services by id.
    browsers_from: Mapped[datetime | None]  # browsers that have signed in before are signed out
    access: Mapped[dict[str, Any]] = mapped_column(default=dict)

    @property
    def label(self) -> str:
        return self.email


class Token(Row):
    """A credential by the digest of its text; the text is shown once and kept nowhere."""

    __tablename__ = "tokens"
    __table_args__ = (Index(None, "user_id"),)

    noun = "token"
    unaudited: ClassVar[frozenset[str]] = frozenset({"last_used"})
    secret: ClassVar[frozenset[str]] = frozenset({"digest"})

    user_id: Mapped[str] = mapped_column(ForeignKey("users.id"))
    name: Mapped[str] = mapped_column(default="")  # what it is for
    digest: Mapped[str] = mapped_column(String(64), unique=True)
    expires: Mapped[datetime | None]
    revoked: Mapped[bool] = mapped_column(default=False)
    last_used: Mapped[datetime | None]


class Session(Base):
    """Somebody signed in; what they got is good as long as this row is there and has not expired."""

    __tablename__ = "sessions"
    __table_args__ = (Index(None, "user_id"),)

    id: Mapped[str] = mapped_column(String(36), primary_key=True, default=new_id)
    user_id: Mapped[str] = mapped_column(ForeignKey("users.id"))
    created: Mapped[datetime] = mapped_column(default=now)
    expires: Mapped[datetime]
    way: Mapped[str] = mapped_column(default="password")  # password | token | single sign-on
    token_id: Mapped[str | None] = mapped_column(String(36))  # begun with a token, it ends with it


class Role(Row):
    """A role that a project has made for itself; the default ones are in `permissions`."""

    __tablename__ = "roles"
    __table_args__ = (UniqueConstraint("project_id", "name"),)

    noun = "role"

    project_id: Mapped[str] = mapped_column(ForeignKey("projects.id"))
    name: Mapped[str]
    permissions: Mapped[list[str]] = mapped_column(default=list)


class RoleAssignment(Row):
    """A role given to a user, for the whole project or for one thing in it."""

    __tablename__ = "role_assignments"
    __table_args__ = (
        # A name of its own: PostgreSQL allows 63 characters.
        UniqueConstraint(
            "project_id", "role_id", "assignee_id", "resource_type", "resource_id", name="uq_role_assignments_grant"
        ),
        Index(None, "assignee_id"),
        Index(None, "resource_id"),
    )

    noun = "role_assignment"

    project_id: Mapped[str] = mapped_column(ForeignKey("projects.id"))
    role_id: Mapped[str] = mapped_column(String(36))  # a row's, or that of a default role
    assignee_type: Mapped[str]  # user | deployment
    assignee_id: Mapped[str] = mapped_column(String(36))
    resource_type: Mapped[str]  # project | deployment | service
    resource_id: Mapped[str] = mapped_column(String(36))
