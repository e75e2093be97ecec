"""Hours of mixed traffic, and random double faults: `make endurance`, `make double-faults`. README.md says more."""
