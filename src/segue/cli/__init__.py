"""The command line: ``segue compare``, ``gate``, ``power``, ``policy``, ``train`` and ``decide``."""

from segue.cli.run import main

__all__ = ["main"]
