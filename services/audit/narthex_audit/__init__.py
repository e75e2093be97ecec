"""Audit: writes down every request that routers served, and finds it again.

Rooms: `rows` and `search` decide (pure), `schema` names the migrations, `store` talks to ClickHouse or to the
chDB engine in this process, `handlers` is what the bus calls, `app` wires them.
"""
