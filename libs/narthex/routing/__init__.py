"""The routing table as all routers share it, in Valkey. The only place that imports redis.

The table is made of small entries, each with the revision of the thing it describes; routers put them
together in memory. An entry is taken only if its revision is newer, so writers need no order and no lock.
Nothing here imports pydantic, so that a router worker stays small.
"""

from narthex.routing import lean_redis as lean_redis  # first: it decides what redis imports
from narthex.routing.entry import Entry as Entry
from narthex.routing.entry import Kind as Kind
from narthex.routing.limits import LimitStore as LimitStore
from narthex.routing.limits import Use as Use
from narthex.routing.limits import concurrency_key as concurrency_key
from narthex.routing.limits import open_limit_store as open_limit_store
from narthex.routing.limits import rate_key as rate_key
from narthex.routing.records import LeaseLost as LeaseLost
from narthex.routing.records import RecordStore as RecordStore
from narthex.routing.records import open_record_store as open_record_store
from narthex.routing.store import Change as Change
from narthex.routing.store import Position as Position
from narthex.routing.store import PositionLost as PositionLost
from narthex.routing.store import TableStore as TableStore
from narthex.routing.store import open_table_store as open_table_store
