"""`python -m narthex …`: the command line, and the services behind its `serve`."""

import sys

from narthex.cli import main

if __name__ == "__main__":
    sys.exit(main())
