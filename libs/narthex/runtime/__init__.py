"""What runs a part: one main loop for all services, settings, clock, logs, sealing, the embedded system."""
