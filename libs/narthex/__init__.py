"""Narthex exposes deployments as HTTPS services. What every part shares lives in this package.

Rooms: `contracts` (the vocabulary), `bus` (NATS), `routing` (the shared routing table in Valkey),
`runtime` (one main loop for all services, and the embedded system), `client` (SDK), `cli`, `testing`.
"""
