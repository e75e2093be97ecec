"""Discovery: instances that somebody else knows of, registered and drained by themselves.

A *provider* (file, dns, docker, kubernetes) says again and again all that it sees, as a `Snapshot` of `Found`
instances. The *follower* lets one registry of several run it, admits what it names, and brings the database's
rows of that provider into line. What a provider does not say for lack of knowledge changes nothing: a provider
that is away raises `Away`, one that cannot see a part names its scope as unknown.

Reading order: `found` → `admission` → `plan` → `roster` → `lease` → `follower` → a provider.
"""
