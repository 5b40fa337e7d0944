"""``segue decide``: keep stored predictions up to date with newer models, without training any."""

from segue.cli.decide.commands import app

__all__ = ["app"]
