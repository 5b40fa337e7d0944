import tracemalloc

import faiss
import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from segue.errors import InputError
from segue.retrieval import exact as exact_module
from segue.retrieval import search
from tests.retrieval import slow

METRICS = ("cosine", "inner-product", "l2")


def expected(queries, gallery, k, metric, exclude=None):
    own = [-1] * len(queries) if exclude is None else exclude
    found = [slow.ranking(q, gallery, metric, o)[:k] for q, o in zip(queries, own, strict=True)]
    rows = [[row for _, row in line] + [-1] * (k - len(line)) for line in found]
    scores = [[score for score, _ in line] + [-np.inf] * (k - len(line)) for line in found]
    return rows, scores


def same(hits, queries, gallery, k, metric, exclude=None):
    rows, scores = expected(queries, gallery, k, metric, exclude)
    np.testing.assert_array_equal(hits.rows, rows)
    np.testing.assert_allclose(hits.scores, np.array(scores), rtol=3e-7, atol=1e-7)


def test_distances_by_hand():
    hits = search([[0, 0]], [[3, 4], [1, 0], [0, -1], [6, 8]], k=3, metric="l2")
    assert hits.rows.tolist() == [[1, 2, 0]]
    assert hits.scores.tolist() == [[-1.0, -1.0, -25.0]]


@pytest.mark.parametrize("metric", METRICS)
@pytest.mark.parametrize("dtype", ["float16", "float32", "float64", "int8"])
def test_search_agrees_with_loops(metric, dtype, rng):
    gallery = rng.normal(0, 20, size=(90, 7)).astype(dtype)
    queries = rng.normal(0, 20, size=(13, 7)).astype(dtype)
    same(search(queries, gallery, 6, metric=metric), queries, gallery, 6, metric)


SMALL = hnp.arrays(np.int8, st.tuples(st.integers(1, 40), st.just(2)), elements=st.integers(1, 3))


@given(gallery=SMALL, k=st.integers(1, 45), metric=st.sampled_from(METRICS), seed=st.integers(0, 9))
def test_ties_are_ordered_by_row_whatever_k(gallery, k, metric, seed):
    queries = gallery[np.random.default_rng(seed).permutation(len(gallery))[:5]]
    same(search(queries, gallery, k, metric=metric), queries, gallery, k, metric)


@pytest.mark.parametrize("metric", METRICS)
def test_more_ties_at_the_cut_than_are_proposed_are_still_ordered_by_row(metric, rng, monkeypatch):
    monkeypatch.setattr(exact_module, "MOST_BLOCK_ROWS", 37)
    gallery = np.repeat(rng.normal(size=(3, 5)).astype(np.float32), 100, axis=0)[rng.permutation(300)]
    queries = np.concatenate([gallery[:4], rng.normal(size=(4, 5)).astype(np.float32)])
    same(search(queries, gallery, 10, metric=metric), queries, gallery, 10, metric)


@pytest.mark.parametrize("metric", METRICS)
def test_only_the_own_copy_is_left_out_and_not_its_duplicates(metric, rng):
    gallery = np.repeat(rng.normal(size=(1, 6)).astype(np.float32), 40, axis=0)
    exclude = rng.permutation(40)
    hits = search(gallery, gallery, 39, metric=metric, exclude=exclude)
    for query, own in enumerate(exclude):
        assert hits.rows[query].tolist() == [row for row in range(40) if row != own]


def test_an_excluded_row_costs_no_neighbour_where_the_gallery_is_used_up(rng):
    gallery = rng.normal(size=(5, 3)).astype(np.float32)
    hits = search(gallery, gallery, 5, exclude=np.arange(5))
    assert (hits.rows[:, 4] == -1).all()
    assert np.isneginf(hits.scores[:, 4]).all()
    assert [sorted(line) for line in hits.rows[:, :4].tolist()] == [[r for r in range(5) if r != q] for q in range(5)]


@pytest.mark.parametrize("metric", METRICS)
def test_memory_threads_and_company_change_nothing(metric, rng, monkeypatch):
    gallery = rng.normal(size=(3000, 16)).astype(np.float32)
    queries = rng.normal(size=(700, 16)).astype(np.float32)
    whole = search(queries, gallery, 7, metric=metric)
    monkeypatch.setattr(exact_module, "MOST_BLOCK_ROWS", 500)
    small = search(queries, gallery, 7, metric=metric, memory=1 << 20)
    alone = [search(queries[[q]], gallery, 7, metric=metric) for q in (0, 350, 699)]
    np.testing.assert_array_equal(whole.rows, small.rows)
    np.testing.assert_array_equal(whole.scores, small.scores)
    for query, hits in zip((0, 350, 699), alone, strict=True):
        np.testing.assert_array_equal(hits.scores[0], whole.scores[query])


def test_distances_far_from_the_origin_keep_their_digits(rng):
    gallery = rng.normal(size=(200, 4)) + 1e6
    queries = rng.normal(size=(5, 4)) + 1e6
    same(search(queries, gallery, 5, metric="l2"), queries, gallery, 5, "l2")


@pytest.mark.parametrize("scale", [1e-30, 1e30, 1e-200, 1e200])
def test_cosine_knows_no_length(scale, rng):
    gallery, queries = rng.normal(size=(60, 4)), rng.normal(size=(4, 4))
    np.testing.assert_array_equal(search(queries, gallery * scale, 5).rows, search(queries, gallery, 5).rows)


def test_a_read_only_memory_map_is_searched_where_it_lies(tmp_path, rng):
    values = rng.normal(size=(500, 8)).astype(np.float32)
    np.save(tmp_path / "gallery.npy", values)
    mapped = np.load(tmp_path / "gallery.npy", mmap_mode="r")
    for metric in METRICS:
        hits = search(values[:9], mapped, 4, metric=metric)
        np.testing.assert_array_equal(hits.rows, search(values[:9], values, 4, metric=metric).rows)


@pytest.mark.parametrize("metric", METRICS)
def test_the_gallery_is_never_copied_as_a_whole(metric, rng):
    gallery = rng.normal(size=(200_000, 32)).astype(np.float32)
    tracemalloc.start()
    search(gallery[:50], gallery, 10, metric=metric, memory=4 << 20)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    # 8 MB of doubles stay in the cache for preparing, beside the 4 MB asked for
    assert peak < 20e6 < gallery.nbytes


@pytest.mark.parametrize("metric", METRICS)
def test_an_index_that_sees_everything_finds_the_same(metric, rng):
    gallery, queries = rng.normal(size=(400, 8)).astype(np.float32), rng.normal(size=(20, 8)).astype(np.float32)
    gallery[200:] = gallery[:200]
    exclude = rng.integers(-1, 400, size=20)
    exact = search(queries, gallery, 5, metric=metric, exclude=exclude)
    ours = search(queries, gallery, 5, metric=metric, exclude=exclude, index="Flat", memory=1 << 20)
    np.testing.assert_array_equal(ours.scores, exact.scores)
    index = faiss.index_factory(8, "IVF4,Flat", faiss.METRIC_L2 if metric == "l2" else faiss.METRIC_INNER_PRODUCT)
    rows = gallery / np.linalg.norm(gallery, axis=1, keepdims=True) if metric == "cosine" else gallery
    index.train(rows)
    index.add(rows)
    index.nprobe = 4
    np.testing.assert_array_equal(
        search(queries, gallery, 5, metric=metric, exclude=exclude, index=index).scores, exact.scores
    )


def test_an_index_that_finds_too_little_leaves_the_end_empty(rng):
    gallery = rng.normal(size=(400, 4)).astype(np.float32)
    hits = search(gallery[:50], gallery, 100, index="IVF16,Flat")
    short = hits.rows == -1
    assert short.any()
    assert np.isneginf(hits.scores[short]).all()
    assert (hits.rows[:, 0] == np.arange(50)).all()


def test_half_precision_tensors_and_arrays_without_a_mask_set_are_read_as_they_are():
    rows = [[1.0, 0.5], [0.25, -2.0]]
    plain = search(rows, rows, 2, metric="inner-product")
    for held in (torch.tensor(rows, dtype=torch.bfloat16, requires_grad=True), np.ma.array(rows)):
        found = search(held, held, 2, metric="inner-product")
        np.testing.assert_array_equal(found.rows, plain.rows)
        np.testing.assert_array_equal(found.scores, plain.scores)


GOOD = np.eye(3, dtype=np.float32)
NAN = np.where(np.arange(3)[:, None] > 0, np.nan, GOOD)
FLAT = faiss.IndexFlatIP(3)


@pytest.mark.parametrize(
    ("changed", "sentence"),
    [
        ({"queries": None}, "queries is None; pass one vector per row, shape (n, d)"),
        ({"queries": [1.0, 2.0]}, "queries has shape (2,); pass one vector per row, shape (n, d)"),
        ({"queries": [["a", "b", "c"]]}, "queries holds <U1 values; pass floating-point numbers or integers"),
        ({"gallery": np.empty((0, 3))}, "gallery is empty (shape (0, 3)); pass at least one vector"),
        (
            {"gallery": NAN},
            "gallery has 2 rows with NaN or infinite numbers, first at row 1; remove these rows or embed them again",
        ),
        (
            {"queries": [[1, 0, np.inf]]},
            "queries has 1 row with NaN or infinite numbers, first at row 0; remove these rows or embed them again",
        ),
        (
            {"gallery": np.diag([1.0, 0, 2])},
            "gallery has 1 row of zeros, first at row 1; a zero vector has no cosine: remove these rows or pass "
            "metric='inner-product' or metric='l2'",
        ),
        (
            {"gallery": GOOD * 1e30, "metric": "l2"},
            "gallery has vectors of length 1e+30, beyond what 32-bit scores can hold; divide all vectors by a common "
            "number",
        ),
        (
            {"queries": np.eye(2)},
            "queries has 2 dimensions and gallery has 3; embed both with models of one space, or map one of them with "
            "an adapter first",
        ),
        ({"k": 0}, "k is 0; pass a whole number of at least 1"),
        ({"k": 2.0}, "k is 2.0; pass a whole number of at least 1"),
        ({"metric": "euclid"}, "metric is 'euclid'; pass one of 'cosine', 'inner-product', 'l2'"),
        ({"memory": 10}, "memory is 10 bytes; pass at least 1,048,576 (1 MB)"),
        ({"exclude": [0, 1]}, "the arrays differ in length: queries has 3, exclude has 2; pass one value per sample "
                              "in the same order"),
        (
            {"exclude": [0, 1, 3]},
            "exclude names 1 row outside the gallery's 3, first at query 2 (3); pass rows from 0 to 2, or -1 for none",
        ),
        (
            {"exclude": [0.0, 1.0, 2.0]},
            "exclude has shape (3,) and type float64; pass the gallery row of each query's own copy as an integer, -1 "
            "where it has none",
        ),
        (
            {"exclude": [[1], [1, 2], [0]]},
            "exclude can't be read as an array (setting an array element with a sequence. The requested array has an "
            "inhomogeneous shape after 1 dimensions. The detected shape was (3,) + inhomogeneous part.); pass the "
            "gallery row of each query's own copy as an integer, -1 where it has none",
        ),
        (
            {"gallery": np.ma.masked_equal(GOOD, 1.0)},
            "gallery has 3 masked numbers; remove these vectors, or fill them with values of their own",
        ),
        (
            {"index": FLAT},
            "index holds 0 vectors of 3 dimensions and gallery 3 of 3; pass the index of this gallery, its ids being "
            "the gallery's rows",
        ),
        ({"index": 3}, "index is a int; pass a faiss index or the string of an index factory"),
    ],
)  # fmt: skip
def test_mistakes(changed, sentence):
    arguments = {"queries": GOOD, "gallery": GOOD, "k": 1} | changed
    with pytest.raises(InputError) as caught:
        search(**arguments)
    assert str(caught.value) == sentence


def test_an_index_that_needs_more_vectors_than_there_are_is_told_in_our_words():
    gallery = np.random.default_rng(0).normal(size=(24, 8))
    for factory, needed in (("IVF1024,Flat", "1,024"), ("IVF4,PQ4", "256"), ("PQ4", "256")):
        with pytest.raises(InputError) as caught:
            search(gallery, gallery, 1, index=factory)
        assert str(caught.value) == (
            f"index {factory!r} is trained on at least {needed} vectors, and gets 24 of gallery; pass a factory string "
            f"with fewer cells or shorter codes, or leave index out"
        )


@pytest.mark.parametrize("factory", ["IVF16,Flat", "IVF4,PQ1"])
def test_faiss_writes_nothing_of_its_own_where_vectors_are_few(factory, rng, capfd):
    gallery = rng.normal(size=(300, 8))
    search(gallery, gallery, 1, index=factory)
    assert capfd.readouterr() == ("", "")


def test_what_faiss_says_comes_without_its_files():
    gallery = np.random.default_rng(0).normal(size=(24, 8))
    with pytest.raises(InputError) as caught:
        search(gallery, gallery, 1, index="Nonsense")
    assert str(caught.value) == (
        "index 'Nonsense' can't be built over 24 vectors of 8 dimensions: could not parse index string Nonsense; pass "
        "another factory string or an index"
    )
    with pytest.raises(InputError) as caught:
        search(gallery, gallery, 1, index="IVF0,Flat")
    assert str(caught.value) == "index can't be searched: 'cur_nprobe > 0' failed; pass another one"


def test_an_index_of_another_metric_and_a_bad_factory_are_refused():
    index = faiss.IndexFlatL2(3)
    index.add(GOOD)
    with pytest.raises(InputError, match="index compares by another metric; for metric='cosine' pass one that takes"):
        search(GOOD, GOOD, 1, index=index)
    with pytest.raises(InputError, match="index 'Nonsense' can't be built over 3 vectors of 3 dimensions"):
        search(GOOD, GOOD, 1, index="Nonsense")
