"""`python -m nucleate`, for launchers such as torchrun that start a module."""

import sys

from nucleate.cli import main

if __name__ == "__main__":
    sys.exit(main())
