"""The bus: events and questions between the parts, over NATS. The only place that imports nats.

    async with open_bus(settings, "certs") as bus:
        await bus.publish(event)                                   # acknowledged by the stream
        tasks.start(bus.consume(EVENTS, {ServiceCreated: on_service_created}), "events")
        answer = await bus.ask(SUBJECT, question, Answer)

A bus that has no connection says so (`bus.connected`); `publish` and `ask` raise Unavailable, `consume` and
`answer` go on by themselves when the server is back.
"""

from narthex.bus import lean_nats as lean_nats  # first: it decides what nats imports
from narthex.bus.bus import Bus as Bus
from narthex.bus.bus import open_bus as open_bus
from narthex.bus.inspection import ConsumerState as ConsumerState
from narthex.bus.inspection import DeadLetter as DeadLetter
from narthex.bus.inspection import StreamState as StreamState
from narthex.bus.settings import BusSettings as BusSettings
from narthex.bus.streams import DEAD_LETTERS as DEAD_LETTERS
from narthex.bus.streams import EVENTS as EVENTS
from narthex.bus.streams import REQUESTS as REQUESTS
