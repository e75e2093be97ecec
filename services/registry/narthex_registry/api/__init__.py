"""The REST API: the surface of UbiOps Services, and what Narthex adds to it.

A handler is a function whose signature says what it takes and whose return annotation says what it answers
(`endpoint`); the `layers` round it turn errors into answers and know who asks. What is decided is decided in
the modules of the nouns, not here.
"""
