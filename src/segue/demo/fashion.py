"""Fashion-MNIST (Xiao, Rasul and Vollgraf, 2017): 60,000 + 10,000 garments, 28x28 grey values, 10 classes, MIT licence.

The four files are known by the sha256 of what is in them, not of their gzip wrapping: Debian and the authors compress
the same bytes with different headers, and some loaders keep the files unpacked.
"""

from __future__ import annotations

import gzip
import hashlib
import zlib
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from segue.demo.pictures import Pictures, PictureSet, UnavailableError

CLASSES = (
    "T-shirt",
    "trousers",
    "pullover",
    "dress",
    "coat",
    "sandal",
    "shirt",
    "sneaker",
    "bag",
    "ankle boot",
)

CONTENTS = {
    "train-images-idx3-ubyte": "c59f468a2f672dc815687fe0f83887768d799fd8a3f3276145d20f83aa44d888",
    "train-labels-idx1-ubyte": "bad3541b69d912435c50bb6ba87bec294ff4f6a2e1246121d8633921760443d9",
    "t10k-images-idx3-ubyte": "5b4141f0afbad91edebe8549f8fcffe087ea10ca49f1dbef5c9a5cd8815ce37b",
    "t10k-labels-idx1-ubyte": "0402a96d92fd2663957122ceb108a494c5af83dab82d92729df917d7dec38c34",
}


def read_content(folder: Path, name: str, sha256: str) -> bytes:
    """Read one data file, packed (``name.gz``) or not, and check what is in it.

    Args:
        folder: Where it lies.
        name: Its name without ``.gz``.
        sha256: Hash of its unpacked content.

    Returns:
        The unpacked content.

    Raises:
        UnavailableError: If there is no such file, it can't be read or unpacked, or its content is another.
    """
    packed, plain = folder / f"{name}.gz", folder / name
    path = packed if packed.is_file() else plain
    try:
        content = path.read_bytes()
        if path == packed:
            content = gzip.decompress(content)
    except FileNotFoundError:
        raise UnavailableError(f"{folder} has no {packed.name}") from None
    except EOFError:
        raise UnavailableError(f"{path} is cut short") from None
    except (gzip.BadGzipFile, zlib.error):
        raise UnavailableError(f"{path} is damaged (it can't be unpacked)") from None
    except OSError as error:
        raise UnavailableError(f"{path} can't be read ({error.strerror})") from None
    if hashlib.sha256(content).hexdigest() != sha256:
        raise UnavailableError(f"{path} is damaged or another data set (its sha256 is not Fashion-MNIST's)")
    return content


def array_of_idx(content: bytes) -> NDArray[np.uint8]:
    """Return the array in an IDX file of bytes: two zeros, the type 8, the number of axes, each axis' length.

    Args:
        content: The file's bytes.

    Returns:
        A writable array of the stated shape.

    Raises:
        ValueError: If the bytes do not begin so, or are not as many as the shape says.

    Example:
        >>> array_of_idx(bytes([0, 0, 8, 1, 0, 0, 0, 3, 7, 8, 9]))
        array([7, 8, 9], dtype=uint8)
    """
    if len(content) < 4 or content[:3] != b"\x00\x00\x08":
        raise ValueError("not an IDX file of bytes")
    start = 4 + 4 * content[3]
    shape = tuple(int.from_bytes(content[at : at + 4], "big") for at in range(4, start, 4))
    return np.frombuffer(content, np.uint8, offset=start).reshape(shape).copy()


def read_folder(folder: Path, origin: str) -> PictureSet:
    """Read all of Fashion-MNIST from a folder that holds the four files.

    Args:
        folder: The folder.
        origin: In words, where the files come from.

    Returns:
        The garments, checked.

    Raises:
        UnavailableError: If one of the four is missing, damaged or another.
    """
    arrays = {name: array_of_idx(read_content(folder, name, sha256)) for name, sha256 in CONTENTS.items()}
    train, test = (
        Pictures(arrays[f"{part}-images-idx3-ubyte"], arrays[f"{part}-labels-idx1-ubyte"].astype(np.int64))
        for part in ("train", "t10k")
    )
    return PictureSet("Fashion-MNIST", "garment", origin, CLASSES, train, test)
