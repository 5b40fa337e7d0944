"""The command line: ``segue compare``, ``segue gate``, ``segue power`` and ``segue policy``."""

from segue.cli.run import main

__all__ = ["main"]
