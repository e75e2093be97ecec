"""The registry: the one truth about projects, deployments, versions, instances, services and tokens.

`api` turns HTTP into changes; a change writes its entities and the facts about them in one transaction
(`database`, `facts`); `relay` brings the facts to the bus in order; `snapshot` tells everything to who lost it.
"""
