"""The registry's REST API under load: `make bench-api`, or `python -P -m bench.api [ROW …]`.

The registry has one core to itself; load, NATS and Valkey share the other. SQLite, durable as in production.
"""
