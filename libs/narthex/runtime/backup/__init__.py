"""Backups of an installation: one archive with all that cannot be made again, taken while it runs.

In it: the database, the sealing key, the internal authority and what is known of orders, the administrator's token and
passwords, and the request log where audit keeps it in its own process and is stopped. Not in it: what follows from
these. Streams and the routing table are filled anew from the database, and so are the copies on routers' disks.
"""

from narthex.runtime.backup.place import place as place
from narthex.runtime.backup.restore import restore as restore
from narthex.runtime.backup.take import take as take
