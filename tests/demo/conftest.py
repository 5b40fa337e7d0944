"""A small Fashion-MNIST with hashes of its own in place of the 31 MB one; the code under test is the real one."""

from __future__ import annotations

import gzip
import hashlib
import io
from pathlib import Path

import numpy as np
import pytest
from rich.console import Console

from segue.demo import fashion
from segue.demo.progress import Progress


def idx(array: np.ndarray) -> bytes:
    head = bytes([0, 0, 8, array.ndim]) + b"".join(length.to_bytes(4, "big") for length in array.shape)
    return head + array.tobytes()


@pytest.fixture(scope="session")
def small_contents() -> dict[str, bytes]:
    """The four files' unpacked bytes; the training pictures are noise, so that they don't shrink when packed."""
    chance = np.random.default_rng(0)
    return {
        "train-images-idx3-ubyte": idx(chance.integers(0, 256, (600, 28, 28), dtype=np.uint8)),
        "train-labels-idx1-ubyte": idx(np.arange(600, dtype=np.uint8) % 10),
        "t10k-images-idx3-ubyte": idx(chance.integers(0, 256, (3, 28, 28), dtype=np.uint8)),
        "t10k-labels-idx1-ubyte": idx(np.array([9, 0, 3], dtype=np.uint8)),
    }


@pytest.fixture
def small(small_contents, monkeypatch, tmp_path) -> Path:
    """A folder with the four packed files, after pinning their hashes."""
    monkeypatch.setattr(
        fashion, "CONTENTS", {name: hashlib.sha256(b).hexdigest() for name, b in small_contents.items()}
    )
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.delenv("KERAS_HOME", raising=False)
    monkeypatch.chdir(tmp_path)
    folder = tmp_path / "small"
    folder.mkdir()
    for name, content in small_contents.items():
        (folder / f"{name}.gz").write_bytes(gzip.compress(content))
    return folder


@pytest.fixture
def said() -> io.StringIO:
    return io.StringIO()


@pytest.fixture
def progress(said) -> Progress:
    return Progress(Console(file=said, width=200))
