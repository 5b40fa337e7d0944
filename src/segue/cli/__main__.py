"""``python -m segue.cli`` is ``segue``."""

import sys

from segue.cli import main

sys.exit(main())
