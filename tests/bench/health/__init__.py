"""What the health service can carry: probes a second on one core, and what becomes of a worker's share when it dies."""
