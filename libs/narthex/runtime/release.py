"""Which release of Narthex this is: read once, for it is in a file of the installed package."""

from importlib.metadata import version

VERSION = version("narthex")
