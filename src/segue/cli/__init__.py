"""The command line: ``segue compare``, ``gate``, ``train``, ``cross-test``, ``retrieval-flips`` and others."""

from segue.cli.run import main

__all__ = ["main"]
