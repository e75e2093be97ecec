"""`python -m narthex.cli`, for where the `narthex` program is not on the path."""

import sys

from narthex.cli import main

sys.exit(main())
