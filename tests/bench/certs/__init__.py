"""Certificates of a thousand services, and a renewal under load: `make bench-certs`."""
