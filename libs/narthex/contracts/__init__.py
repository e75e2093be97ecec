"""The vocabulary: names, entities, events, API models, errors. Pure: values in, values out.

Every part of Narthex imports its words from here and nowhere else. Nothing in this package may import
asyncio, a driver or a framework; an import-linter contract keeps it so.
"""
