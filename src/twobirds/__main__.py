"""`python -m twobirds`: the same as the command."""

import sys

from twobirds.apps.cli import main

if __name__ == "__main__":
    sys.exit(main())
