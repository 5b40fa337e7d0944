"""All metrics of rankings against ir_measures and against loops, on random and on degenerate input."""

import ir_measures
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from ir_measures import AP, RR, P, R, Success, nDCG

from segue.retrieval import (
    Relevance,
    average_precision,
    cmc,
    exponential_gain,
    full_average_precision,
    judge,
    measure_all,
    ndcg,
    precision,
    recall,
    reciprocal_rank,
    search,
)
from tests.retrieval import slow

PAIRS = {
    "cmc@1": (lambda judged: cmc(judged, 1), Success @ 1),
    "cmc@3": (lambda judged: cmc(judged, 3), Success @ 3),
    "recall@3": (lambda judged: recall(judged, 3), R @ 3),
    "precision@3": (lambda judged: precision(judged, 3), P @ 3),
    "precision@5": (lambda judged: precision(judged, 5), P @ 5),
    "map@5": (lambda judged: average_precision(judged, 5), AP @ 5),
    "map": (average_precision, AP),
    "mrr": (reciprocal_rank, RR),
    "ndcg@5": (lambda judged: ndcg(judged, 5), nDCG @ 5),
    "ndcg": (ndcg, nDCG),
}


def setting(kind, rng):
    """Return queries, gallery and grades (q, n)."""
    queries, gallery = rng.normal(size=(12, 4)), rng.normal(size=(40, 4))
    grades = rng.integers(0, 4, size=(12, 40)) * (rng.random((12, 40)) < 0.2)
    if kind == "ties":
        queries, gallery = rng.integers(1, 3, size=(12, 4)), rng.integers(1, 3, size=(40, 4))
    elif kind == "all the same":
        gallery = np.ones((40, 4))
    elif kind == "nothing relevant":
        grades[::2] = 0
    elif kind == "everything relevant":
        grades[:] = 1
    elif kind == "tiny gallery":
        gallery, grades = gallery[:2], np.maximum(grades[:, :2], [1, 0])
    elif kind == "one relevant item":
        grades = np.eye(12, 40, dtype=int) * 3
    return queries.astype(np.float32), gallery.astype(np.float32), grades


KINDS = ("random", "ties", "all the same", "nothing relevant", "everything relevant", "tiny gallery",
         "one relevant item")  # fmt: skip


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("metric", ["cosine", "inner-product", "l2"])
def test_every_metric_agrees_with_ir_measures(kind, metric, rng):
    queries, gallery, grades = setting(kind, rng)
    names = [f"q{query}" for query in range(len(queries))]
    items = [f"d{row}" for row in range(len(gallery))]
    qrels = {
        name: {item: int(grade) for item, grade in zip(items, line, strict=True)}
        for name, line in zip(names, grades, strict=True)
    }
    relevance = Relevance.from_qrels(qrels, names, items)
    hits = search(queries, gallery, len(gallery), metric=metric)
    # trec_eval breaks ties by document name; ranks are told to it as scores instead
    run = {
        name: {items[row]: float(-rank) for rank, row in enumerate(line)}
        for name, line in zip(names, hits.rows, strict=True)
    }
    theirs = {measure: {} for _, measure in PAIRS.values()}
    for value in ir_measures.iter_calc(list(theirs), qrels, run):
        theirs[value.measure][value.query_id] = value.value
    whole = measure_all(
        queries, gallery, relevance, {name: ours for name, (ours, _) in PAIRS.items()}, metric=metric, memory=1 << 20
    )
    judged = judge(hits, relevance)
    for name, (ours, measure) in PAIRS.items():
        values = ours(judged)
        np.testing.assert_array_equal(np.isnan(values), relevance.totals == 0, err_msg=name)
        wanted = [theirs[measure][query] for query in names]
        np.testing.assert_allclose(np.nan_to_num(values), wanted, atol=1e-12, err_msg=name)
        np.testing.assert_array_equal(whole[name], values, err_msg=name)


@given(
    labels=st.lists(st.integers(0, 2), min_size=1, max_size=12),
    asked=st.lists(st.integers(0, 3), min_size=1, max_size=4),
    k=st.integers(1, 14),
    seed=st.integers(0, 5),
)
def test_cuts_agree_with_loops_and_stay_in_order(labels, asked, k, seed):
    rng = np.random.default_rng(seed)
    gallery, queries = rng.integers(1, 4, size=(len(labels), 2)), rng.integers(1, 4, size=(len(asked), 2))
    exclude = rng.integers(-1, len(labels), size=len(asked))
    relevance = Relevance.from_labels(asked, labels, exclude=exclude)
    judged = judge(search(queries, gallery, k, exclude=exclude), relevance)
    for query, own in enumerate(exclude):
        order = [row for _, row in slow.ranking(queries[query], gallery, "cosine", own)]
        good = [labels[row] == asked[query] for row in order]
        total = sum(good)
        found = (cmc(judged, k)[query], recall(judged, k)[query], precision(judged, k)[query],
                 average_precision(judged, k)[query], ndcg(judged, k)[query])  # fmt: skip
        if not total:
            assert np.isnan(found).all()
            continue
        wanted = (any(good[:k]), sum(good[:k]) / total, sum(good[:k]) / k, slow.average_precision(good, total, k),
                  slow.ndcg(good, good, k))  # fmt: skip
        np.testing.assert_allclose(found, wanted, atol=1e-12)
        assert found[0] >= found[1] >= found[3]


def test_exponential_gain_by_hand():
    relevance = Relevance.from_qrels({"q": {"a": 1, "b": 3}}, ["q"], ["a", "b"])
    judged = judge(search([[1.0, 0.0]], [[1.0, 0.0], [1.0, 1.0]], 2), relevance)
    # gains 1 and 7: (1 + 7/log2(3)) / (7 + 1/log2(3))
    assert ndcg(judged, gain=exponential_gain)[0] == pytest.approx((1 + 7 / np.log2(3)) / (7 + 1 / np.log2(3)))


def test_the_full_average_precision_leaves_own_copies_out_and_does_not_depend_on_memory(rng):
    gallery = rng.normal(size=(400, 6)).astype(np.float32)
    gallery[300:] = gallery[:100]
    labels = rng.integers(0, 2, size=400)
    relevance = Relevance.from_labels(labels, labels, exclude=np.arange(400))
    values = full_average_precision(gallery, gallery, relevance)
    small = full_average_precision(gallery, gallery, relevance, memory=1 << 20)
    np.testing.assert_array_equal(values, small)
    for query in (0, 120, 399):
        order = [row for _, row in slow.ranking(gallery[query], gallery, "cosine", query)]
        good = [labels[row] == labels[query] for row in order]
        assert values[query] == pytest.approx(slow.average_precision(good, sum(good)), abs=1e-12)


def test_the_relevance_of_another_gallery_is_refused():
    with pytest.raises(ValueError, match="queries and gallery have 2 and 2 rows, relevance 2 and 3; pass"):
        full_average_precision(np.eye(2), np.eye(2), Relevance.from_labels([0, 1], [0, 1, 1]))
