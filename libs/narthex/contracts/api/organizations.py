"""Organizations and the people in them."""

from datetime import date, datetime

from pydantic import StrictBool, StrictStr

from narthex.contracts.api.base import Request, Response
from narthex.contracts.names import EmailAddress, OrganizationName


class OrganizationUpdate(Request):
    """Narthex has no subscriptions; what is said about them is taken and changes nothing."""

    name: OrganizationName | None = None
    subscription: StrictStr | None = None
    subscription_start_date: StrictStr | None = None
    subscription_end_date: StrictStr | None = None
    two_factor_authentication_forced: StrictBool | None = None


class OrganizationCreate(OrganizationUpdate):
    name: OrganizationName
    voucher: StrictStr | None = None


class OrganizationDetail(Response):
    id: str
    name: str
    creation_date: datetime
    status: str = "active"
    subscription: str = "self-hosted"
    overage_usage: bool = False
    two_factor_authentication_forced: bool = False


class OrganizationUserCreate(Request):
    email: EmailAddress
    admin: StrictBool = False


class OrganizationUserUpdate(Request):
    admin: StrictBool | None = None


class OrganizationUserDetail(Response):
    """`pending`: has no password yet."""

    id: str
    email: str
    name: str | None = None
    surname: str | None = None
    admin: bool = False
    status: str = "active"
    join_date: date
