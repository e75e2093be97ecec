"""What 2,000 clients that take their time cost those that do not: `make slow`."""
