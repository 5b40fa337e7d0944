"""Files of a training: whole or absent when it is written, and one sentence when what is read is damaged."""

from __future__ import annotations

import json
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from safetensors import SafetensorError
from safetensors.torch import load_model, save_model
from torch import nn

from segue.errors import InputError


@contextmanager
def whole(path: Path) -> Generator[Path]:
    """Give another name to write under, which becomes the file's when all is written; a killed process leaves the old.

    Args:
        path: The file.

    Yields:
        The name to write under, beside it.
    """
    beside = path.with_suffix(".part")
    try:
        yield beside
        beside.replace(path)
    except BaseException:
        beside.unlink(missing_ok=True)
        raise


def write_text(path: Path, text: str) -> None:
    """Write text at once.

    Args:
        path: The file.
        text: What it is to hold.
    """
    with whole(path) as beside:
        beside.write_text(text, encoding="utf-8")


def write_json(path: Path, told: Mapping[str, Any]) -> None:
    """Write plain values as JSON at once.

    Args:
        path: The file.
        told: The values.
    """
    write_text(path, json.dumps(told, indent=1) + "\n")


def save_weights(path: Path, network: nn.Module) -> None:
    """Write a network's weights at once.

    Args:
        path: The file.
        network: The network.
    """
    with whole(path) as beside:
        save_model(network, str(beside))
        beside.chmod(0o644)  # as the other files: whoever serves it must read it


def read_json(path: Path, remedy: str) -> dict[str, Any]:
    """Read plain values.

    Args:
        path: The file.
        remedy: What to do where that is not possible, in words.

    Returns:
        The values by name.

    Raises:
        InputError: If the file can't be read, or holds something else.
    """
    try:
        told = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise InputError(f"{str(path.parent)!r} holds no {path.name}; {remedy}") from None
    except (OSError, ValueError) as error:
        raise InputError(f"{str(path)!r} is damaged ({error}); {remedy}") from error
    if not isinstance(told, dict):
        raise InputError(f"{str(path)!r} is damaged (it holds a {type(told).__name__}); {remedy}")
    return told


def load_weights(path: Path, network: nn.Module, remedy: str) -> nn.Module:
    """Put weights into a network of the same shape.

    Args:
        path: The file.
        network: The network; changed in place.
        remedy: What to do where that is not possible, in words.

    Returns:
        The network, in evaluation mode.

    Raises:
        InputError: If the file can't be read, or its weights are those of another network.
    """
    try:
        load_model(network, str(path))
    except FileNotFoundError:
        raise InputError(f"{str(path.parent)!r} holds no {path.name}; {remedy}") from None
    except (SafetensorError, OSError) as error:
        raise InputError(f"{str(path)!r} is damaged ({error}); {remedy}") from error
    except RuntimeError as error:
        said = str(error).splitlines()
        reason = (said[1] if len(said) > 1 else said[0]).strip().rstrip(". ")
        raise InputError(
            f"{str(path)!r} holds the weights of another network than build makes ({reason}); {remedy}"
        ) from error
    return network.eval()
