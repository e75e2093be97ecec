"""The SDK: `Client` and `AsyncClient`, profiles, leases for instances. Needs httpx2 and pydantic, nothing else.

The models that go in and come out are those of `narthex.contracts.api`.
"""

from narthex.client.async_client import AsyncClient as AsyncClient
from narthex.client.client import Client as Client
from narthex.client.errors import ApiError as ApiError
from narthex.client.errors import ConnectionFailed as ConnectionFailed
from narthex.client.errors import TimedOut as TimedOut
from narthex.client.lease import Lease as Lease
from narthex.client.lease import leased as leased
from narthex.client.lease import told_to_end as told_to_end
from narthex.client.profiles import Profile as Profile
from narthex.client.profiles import resolve as resolve
from narthex.client.retry import Retry as Retry
