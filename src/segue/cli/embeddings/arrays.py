"""NumPy's files: one array (.npy, memory mapped) or several by name (.npz). Nothing is unpickled."""

from __future__ import annotations

import zipfile
import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from segue.cli.embeddings.source import unreadable
from segue.errors import InputError

MAGIC = b"\x93NUMPY"
PICKLED = b"\x80"


class Npy:
    """One array: embeddings, or one label per row.

    Args:
        file: The file.

    Raises:
        InputError: If it can't be read.
    """

    holds, typed = "array", True
    names: Sequence[str] = ()

    def __init__(self, file: Path) -> None:
        self.told = str(file)
        self._array = self._mapped(file)

    def vectors(self, name: str) -> NDArray[Any]:
        """Return the array."""
        return self._array

    def column(self, name: str) -> NDArray[Any]:
        """Return the array, whatever the column is called.

        Args:
            name: The column.

        Returns:
            One value per row, ``(n,)``.

        Raises:
            InputError: If it is a matrix.
        """
        if self._array.ndim != 1:
            raise InputError(f"{self.told} has shape {self._array.shape}; write one {name} per row, shape (n,)")
        return self._array

    def _mapped(self, file: Path) -> NDArray[Any]:
        with file.open("rb") as opened:
            head = opened.read(len(MAGIC))
        if head.startswith(PICKLED):
            raise InputError(_objects(self.told))
        if head != MAGIC:
            raise InputError(unreadable(self.told, "NumPy's .npy", "it does not begin as one"))
        try:
            return np.asarray(np.load(file, mmap_mode="r", allow_pickle=False))
        except ValueError as error:
            if "object" in str(error).lower():
                raise InputError(_objects(self.told)) from error
            raise InputError(
                unreadable(self.told, "NumPy's .npy", "it is damaged, or ends before its last row")
            ) from error
        except (EOFError, OSError) as error:
            raise InputError(unreadable(self.told, "NumPy's .npy", error)) from error


class Npz:
    """Several arrays by name.

    Args:
        file: The file.

    Raises:
        InputError: If it can't be read.
    """

    holds, typed = "array", True

    def __init__(self, file: Path) -> None:
        self.told = str(file)
        self._file = file
        try:
            with zipfile.ZipFile(file) as archive:
                self.names: Sequence[str] = [name.removesuffix(".npy") for name in archive.namelist()]
        except (zipfile.BadZipFile, OSError) as error:
            raise InputError(unreadable(self.told, "NumPy's .npz", error)) from error

    def vectors(self, name: str) -> NDArray[Any]:
        """Return an array.

        Args:
            name: The array.

        Returns:
            What the file holds.

        Raises:
            InputError: If it can't be read.
        """
        try:
            with np.load(self._file, allow_pickle=False) as arrays:
                return np.asarray(arrays[name])
        except (ValueError, EOFError, OSError, KeyError, zipfile.BadZipFile, zlib.error) as error:
            if "Object arrays" in str(error):
                raise InputError(_objects(f"{self.told}: array {name!r}")) from error
            raise InputError(unreadable(self.told, "NumPy's .npz", error)) from error

    def column(self, name: str) -> NDArray[Any]:
        """Return an array of one value per row.

        Args:
            name: The array.

        Returns:
            One value per row, ``(n,)``.

        Raises:
            InputError: If it can't be read, or is a matrix.
        """
        array = self.vectors(name)
        if array.ndim != 1:
            raise InputError(
                f"{self.told}: array {name!r} has shape {array.shape}; write one value per row, shape (n,)"
            )
        return array


def _objects(told: str) -> str:
    return (
        f"{told} holds pickled Python objects, which are not loaded since they could run code; save an array of "
        f"numbers or of text (dtype float32 or str)"
    )
