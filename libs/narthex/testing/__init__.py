"""Shipped fixtures: real servers for tests of Narthex and of what people build on it."""
