"""The files of ``segue adapter``: the kinds by the names that are typed, and mapped vectors, whole or absent."""

from __future__ import annotations

import re
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from segue.errors import InputError

if TYPE_CHECKING:
    from segue.adapters import Adapter
    from segue.cli.embeddings import Items

CLOSED = ("Adjoint", "DirectionAdjoint", "KernelAdjoint", "KernelRidge", "LocalMixture",
          "Procrustes", "Ridge", "ScaledProcrustes")  # fmt: skip

WORDS = {
    r"^strength is ": "--strength is ",
    r" or pass metric='inner-product' or metric='l2'": "",
    r"or fit one such as Procrustes\(\) without a choice": "or name a map with --kind, such as procrustes",
    r"that save_pretrained\(\) has written": "that segue adapter fit has written",
}
"""The library's words in those of the command line."""


def kinds() -> dict[str, Callable[[], Adapter]]:
    """Return the maps that need no training, by the names that are typed.

    Returns:
        Classes by name: ``kernel-ridge`` and so on.
    """
    from segue.adapters.kinds import kind

    return {re.sub(r"(?<!^)(?=[A-Z])", "-", name).lower(): kind(name) for name in CLOSED}


def refuse_existing(path: str, what: str) -> None:
    """Refuse to write over anything.

    Args:
        path: Where it is to be written.
        what: ``"file"`` or ``"folder"``.

    Raises:
        InputError: If something is there, or there is no folder to put it in.
    """
    target = Path(path)
    if target.exists() and not (what == "folder" and target.is_dir() and not any(target.iterdir())):
        raise InputError(f"--out: {path!r} is there already, and nothing is written over; name a new {what}")
    if not target.parent.is_dir():
        raise InputError(f"--out: there is no folder {str(target.parent)!r} to write {target.name!r} to")


def write_mapped(adapter: Adapter, items: Items, out: Path) -> None:
    """Map vectors by blocks into a new file; whoever is interrupted leaves none.

    Args:
        adapter: The map.
        items: The vectors; a memory map is never read whole.
        out: Where to: ``.npy``, or ``.npz`` for ids and labels beside the vectors.
    """
    import numpy as np

    source = items.vectors["source"]
    beside = out.with_name(f".{out.stem}.{uuid4().hex}.part{out.suffix}")
    try:
        if out.suffix == ".npz":
            columns = {"ids": items.ids, "labels": items.labels}
            kept: dict[str, Any] = {name: values for name, values in columns.items() if values is not None}
            np.savez(beside, embeddings=adapter.transform(source), **kept)
        else:
            shape = (len(source), adapter.target_dimension)
            mapped = np.lib.format.open_memmap(beside, mode="w+", dtype=np.float32, shape=shape)
            adapter.transform(source, out=mapped)
            mapped.flush()
        beside.replace(out)
    finally:
        beside.unlink(missing_ok=True)


@contextmanager
def in_file_words(told: Mapping[str, str]) -> Generator[None]:
    """Name files in place of ``source`` and ``target`` in what the library says.

    Args:
        told: The files' names by argument.

    Yields:
        Nothing.

    Raises:
        InputError: What the library raised, in other words.
    """
    try:
        yield
    except InputError as error:
        said = str(error)
        if told:
            roles = "|".join(told)
            said = re.sub(rf"(?<![\w-])({roles})(?= (?:has|holds|row)\b)", lambda found: told[found[1]], said)
        for library, typed in WORDS.items():
            said = re.sub(library, typed, said)
        raise InputError(said) from error


def loaded(folder: str) -> Adapter:
    """Read an adapter of any kind.

    Args:
        folder: Its folder.

    Returns:
        The adapter.

    Raises:
        InputError: If there is none.
    """
    from segue.adapters import Adapter

    if not Path(folder).is_dir():
        raise InputError(f"there is no folder {folder!r}; name one that segue adapter fit has written")
    with in_file_words({}):
        return Adapter.from_pretrained(folder)
