"""`narthex run`: a deployment made of processes on this machine.

`command` is the command line; `plan` what was asked for (pure); `objects` finds or makes deployment, version and
service; `placement` gives each replica an address; `replica` keeps one process running; `guardian` ends what is
left when we are killed; `rollout` does it all and takes it down again; `console` prints.
"""
