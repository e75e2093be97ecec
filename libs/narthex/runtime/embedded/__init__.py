"""`narthex up`: the whole installation on one machine.

It starts a real nats-server and a real valkey-server and the five services, each as the same
`narthex serve <name>` that production runs. Every child dies with the supervisor, whatever kills it.

`preflight` finds what is wrong before anything starts, `parts` decides what runs and how (pure), `command` ties
them together and then turns into `narthex.runtime.supervisor`, which keeps it running.
"""

from narthex.runtime.embedded.command import up as up
from narthex.runtime.embedded.settings import UpSettings as UpSettings
from narthex.runtime.embedded.settings import read_settings as read_settings
from narthex.runtime.supervisor.lock import holder as holder
