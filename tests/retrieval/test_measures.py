import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from segue.errors import InputError
from segue.retrieval import Relevance
from segue.retrieval.measures import named_measure, query_values
from tests.retrieval import slow

# Ranked 0, 1, 2, 3 for the one query; rows 1 and 3 are relevant.
GALLERY = [[1.0, 0.1], [1.0, 0.2], [1.0, 0.3], [1.0, 0.4]]
BY_HAND = {
    "cmc@1": 0,
    "cmc@2": 1,
    "recall@2": 1 / 2,
    "precision@3": 1 / 3,
    "precision@10": 2 / 10,
    "map": (1 / 2 + 2 / 4) / 2,
    "map@3": (1 / 2) / 2,
    "mrr": 1 / 2,
    "mrr@1": 0,
    "ndcg": (1 / np.log2(3) + 1 / np.log2(5)) / (1 + 1 / np.log2(3)),
    "ndcg@3": (1 / np.log2(3)) / (1 + 1 / np.log2(3)),
}


@pytest.mark.parametrize(("name", "value"), BY_HAND.items())
def test_measures_by_hand(name, value):
    relevance = Relevance.from_labels([7], [0, 7, 0, 7])
    assert query_values(name, [[1.0, 0.0]], GALLERY, relevance) == pytest.approx([value])


def of_ranking(name, good, total):
    """Measure a ranking of right and wrong items, best first."""
    kind, _, cut = name.partition("@")
    k = int(cut) if cut else None
    if not total:
        return np.nan
    if kind == "cmc":
        return float(any(good[:k]))
    if kind in {"recall", "precision"}:
        return sum(good[:k]) / (total if kind == "recall" else k)
    if kind == "map":
        return slow.average_precision(good, total, k)
    if kind == "mrr":
        return next((1 / (rank + 1) for rank, found in enumerate(good[:k]) if found), 0.0)
    return slow.ndcg([float(found) for found in good], [1.0] * total, k)


@pytest.mark.parametrize("metric", ["cosine", "inner-product", "l2"])
def test_measures_agree_with_loops(rng, metric):
    queries, gallery = rng.normal(size=(25, 4)), rng.normal(size=(40, 4))
    asked, held = rng.integers(0, 9, size=25), rng.integers(1, 9, size=40)
    own = rng.integers(-1, 40, size=25)
    relevance = Relevance.from_labels(asked, held, exclude=own)
    assert (relevance.totals == 0).any()
    rankings = [slow.ranking(query, gallery, metric, row) for query, row in zip(queries, own, strict=True)]
    good = [[held[row] == label for _, row in ranked] for ranked, label in zip(rankings, asked, strict=True)]
    for name in BY_HAND:
        values = query_values(name, queries, gallery, relevance, metric=metric)
        np.testing.assert_allclose(values, [of_ranking(name, one, sum(one)) for one in good], atol=1e-12)


def test_an_index_that_proposes_everything_changes_nothing(rng):
    queries, gallery = rng.normal(size=(30, 8)), rng.normal(size=(100, 8))
    relevance = Relevance.from_labels(rng.integers(0, 5, size=30), rng.integers(0, 5, size=100))
    exact = query_values("ndcg@10", queries, gallery, relevance)
    np.testing.assert_array_equal(query_values("ndcg@10", queries, gallery, relevance, index="Flat"), exact)


@given(st.sampled_from(["cmc", "recall", "precision", "map", "mrr", "ndcg"]), st.integers(1, 10**6), st.booleans())
def test_names_are_read_in_capitals_or_not(kind, k, shout):
    name = f"{kind}@{k}"
    named = named_measure(name.upper() if shout else f" {name} ")
    assert (named.name, named.k) == (name, k)


KNOWN = (
    "pass one of cmc@k, recall@k, precision@k, map, map@k, mrr, mrr@k, ndcg, ndcg@k with a rank in place of k, such "
    "as 'cmc@1'"
)


@pytest.mark.parametrize("name", ["accuracy", "cmc", "recall", "cmc@0", "map@", "map@1.5", "ndcg@-1", "", "map@ten"])
def test_unknown_names_are_refused(name):
    with pytest.raises(InputError) as caught:
        named_measure(name)
    assert str(caught.value) == f"measure is {name!r}; {KNOWN}"


def test_what_is_no_name_is_refused():
    with pytest.raises(InputError, match=r"measure is 1; pass one of cmc@k"):
        named_measure(1)


@pytest.mark.parametrize(
    ("made", "sentence"),
    [
        (
            lambda held: query_values("map", held, held, Relevance.from_labels([0, 1], [0, 1, 2])),
            "queries and gallery have 3 and 3 rows, relevance 2 and 3; pass the relevance of these queries in this "
            "gallery",
        ),
        (
            lambda held: query_values("map", held, held, Relevance.from_labels([0, 1, 2], [0, 1, 2]), index="Flat"),
            "measure 'map' needs the whole ranking, of which an index only finds the first; pass a cut, such as "
            "'map@100', or leave index out",
        ),
        (
            lambda held: query_values("cmc@1", held, held[:, :2], Relevance.from_labels([0, 1, 2], [0, 1, 2])),
            "queries has 3 dimensions and gallery has 2; embed both with models of one space, or map one of them with "
            "an adapter first",
        ),
    ],
)
def test_mistakes(made, sentence):
    with pytest.raises(InputError) as caught:
        made(np.eye(3) + 1)
    assert str(caught.value) == sentence
