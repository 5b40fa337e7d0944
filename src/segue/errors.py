"""What Segue raises when the caller can mend the matter."""

from __future__ import annotations

import importlib
from types import ModuleType


class SegueError(Exception):
    """Anything that Segue raises on purpose."""


class InputError(SegueError, ValueError):
    """A mistake in what the caller passed: one sentence that names the thing and says what to do.

    The command line prints the sentence and exits with code 2.
    """


class DivergedError(InputError):
    """A training ran into a loss that is not finite; a sweep goes on with the next setting."""


class MissingExtraError(SegueError, ImportError):
    """An optional dependency is not installed; the message names the extra that brings it."""


def require(module: str, extra: str, purpose: str) -> ModuleType:
    """Import an optional dependency, or say which extra brings it.

    Args:
        module: The module's import name.
        extra: The extra of the ``segue`` distribution that installs it.
        purpose: What needs it, as the subject of the sentence: ``"the torchmetrics integration"``.

    Returns:
        The imported module.

    Raises:
        MissingExtraError: If the module can't be imported.
    """
    try:
        return importlib.import_module(module)
    except ImportError as error:
        raise MissingExtraError(
            f"{purpose} needs {module!r}, which can't be imported ({error}); "
            f"install it with: pip install 'segue[{extra}]'"
        ) from error
