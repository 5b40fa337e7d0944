import json
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from segue.errors import InputError
from segue.retrieval import Compatible, CrossTest, Relevance, cross_test, mean_difference, mean_over_queries
from tests.retrieval import slow

EYE = np.eye(3)


def points(*rows):
    """One unit vector per number: 0 along the first axis, 1 the second, 2 the third."""
    return EYE[list(rows)]


def test_three_queries_by_hand():
    # One gallery item of each class. A query that points at item 0 finds it and nothing else at rank 1.
    relevance = Relevance.from_labels(["a", "b", "c"], ["a", "b", "c"])
    found = cross_test(
        points(0, 0, 0),  # the old queries find "a" alone
        points(0, 1, 2),  # the new ones find all in the new gallery
        EYE,
        EYE,
        relevance,
        queries_to_old=points(0, 1, 0),  # mapped to the old space, they find "a" and "b"
        queries_paragon=points(0, 1, 2),
        gallery_paragon=EYE,
    )
    assert {name: values.tolist() for name, values in found.per_query.items()} == {
        "old_old": [1, 0, 0],
        "new_old": [1, 1, 0],
        "new_new": [1, 1, 1],
        "paragon": [1, 1, 1],
    }
    assert [round(cell.value, 6) for cell in found.cells.values()] == [0.333333, 0.666667, 1, 1]
    assert found.criterion.value == pytest.approx(1 / 3)
    assert found.upgrade.value == pytest.approx(2 / 3)
    assert found.backfill_gain.value == pytest.approx(1 / 3)
    assert found.cost.value == 0
    # two queries that mend are no evidence of an upgrade, nor one of compatibility
    assert math.isnan(found.update_gain.value)
    assert found.compatible == Compatible.UNDECIDED == "can't tell"
    assert (found.queries, found.without_relevant, found.mapped) == (3, 0, "queries")


def embeddings(rng, queries=60, gallery=90, classes=6, dimension=5):
    centres = rng.normal(size=(classes, dimension))
    asked, held = rng.integers(0, classes, size=queries), rng.integers(0, classes, size=gallery)
    old, new = (
        [centres[labels] + noise * rng.normal(size=(len(labels), dimension)) for labels in (asked, held)]
        for noise in (1.5, 0.8)
    )
    return (old[0], new[0], old[1], new[1]), asked, held


@pytest.mark.parametrize("measure", ["cmc@1", "recall@10", "map"])
def test_cells_agree_with_loops_over_pairs(rng, measure):
    (queries_old, queries_new, gallery_old, gallery_new), asked, held = embeddings(rng)
    own = np.arange(60)
    relevance = Relevance.from_labels(asked, held, exclude=own)
    found = cross_test(
        queries_old, queries_new, gallery_old, gallery_new, relevance, measure=measure, metric="l2", groups=asked
    )
    for name, queries, gallery in (
        ("old_old", queries_old, gallery_old),
        ("new_old", queries_new, gallery_old),
        ("new_new", queries_new, gallery_new),
    ):
        values = []
        for query, label, row in zip(queries, asked, own, strict=True):
            good = [held[item] == label for _, item in slow.ranking(query, gallery, "l2", row)]
            values.append(
                float(good[0]) if measure == "cmc@1"
                else sum(good[:10]) / sum(good) if measure == "recall@10"
                else slow.average_precision(good, sum(good))
            )  # fmt: skip
        np.testing.assert_allclose(found.per_query[name], values, atol=1e-12)
        assert found.cells[name] == mean_over_queries(found.per_query[name], groups=asked)
    cells = found.per_query
    assert found.criterion == mean_difference(cells["old_old"], cells["new_old"], groups=asked)
    assert found.upgrade == mean_difference(cells["old_old"], cells["new_new"], groups=asked)
    assert found.backfill_gain == mean_difference(cells["new_old"], cells["new_new"], groups=asked)
    assert found.groups == 6


@given(st.integers(0, 2**32 - 1), st.sampled_from(["cmc@1", "map", "ndcg@5"]))
def test_a_model_is_never_compatible_with_itself_by_luck(seed, measure):
    (queries, _, gallery, _), asked, held = embeddings(np.random.default_rng(seed), 30, 40)
    found = cross_test(queries, queries, gallery, gallery, Relevance.from_labels(asked, held), measure=measure)
    assert found.criterion.value == 0
    assert found.compatible != Compatible.YES
    assert math.isnan(found.update_gain.value)
    assert found.old_old == found.new_old == found.new_new


@given(st.integers(0, 2**32 - 1))
def test_a_gallery_mapped_onto_the_new_one_gains_all(seed):
    (queries_old, queries_new, gallery_old, gallery_new), asked, held = embeddings(np.random.default_rng(seed), 300)
    found = cross_test(
        0 * queries_old + [1, 0, 0, 0, 0], queries_new, gallery_old, gallery_new,
        Relevance.from_labels(asked, held), gallery_to_new=gallery_new,
    )  # fmt: skip
    assert found.backfill_gain.value == 0
    if found.upgrade.low > 0:
        assert found.update_gain.value == 1
        assert found.compatible == Compatible.YES


def test_compatible_means_that_the_whole_interval_is_above_nothing():
    def of(broken, mended, queries=200):
        old = np.repeat([1.0, 0.0, 0.0], [broken, mended, queries - broken - mended])
        new = np.repeat([0.0, 1.0, 0.0], [broken, mended, queries - broken - mended])
        return CrossTest.of(old, new, new)

    assert of(0, 20).compatible == Compatible.YES
    assert of(5, 9).compatible == Compatible.UNDECIDED
    assert of(20, 0).compatible == Compatible.NO
    for found in (of(0, 20), of(5, 9), of(20, 0)):
        assert (found.compatible == "yes") == (found.criterion.low > 0)
        assert (found.compatible == "no") == (found.criterion.high <= 0)


def test_extra_dimensions_are_left_out_by_passing_the_first_ones(rng):
    (queries_old, queries_new, gallery_old, gallery_new), asked, held = embeddings(rng)
    relevance = Relevance.from_labels(asked, held)
    wide_queries, wide_gallery = (
        np.hstack([part, rng.normal(size=(len(part), 2))]) for part in (queries_new, gallery_new)
    )
    found = cross_test(
        queries_old, wide_queries, gallery_old, wide_gallery, relevance, queries_to_old=wide_queries[:, :5]
    )
    plain = cross_test(queries_old, queries_new, gallery_old, gallery_new, relevance)
    assert found.new_old == plain.new_old
    assert found.old_old == plain.old_old


def test_queries_with_nothing_relevant_are_counted_and_said():
    old, new = [1.0, 0.0, math.nan, 0.0], [1.0, 1.0, math.nan, 0.0]
    left, zero = (CrossTest.of(old, new, new, undefined=choice) for choice in ("leave out", "zero"))
    assert (left.queries, left.without_relevant, left.new_old.value) == (3, 1, pytest.approx(2 / 3))
    assert (zero.queries, zero.without_relevant, zero.new_old.value) == (4, 1, 0.5)
    assert str(left).endswith("\n1 query has nothing relevant in the gallery: left out.")
    assert str(zero).endswith("\n1 query has nothing relevant in the gallery: counted as 0.")
    assert np.isnan(left.per_query["old_old"][2])


def test_an_index_that_proposes_everything_changes_nothing(rng):
    vectors, asked, held = embeddings(rng)
    relevance = Relevance.from_labels(asked, held)
    assert cross_test(*vectors, relevance, index="Flat").to_dict() == cross_test(*vectors, relevance).to_dict()


@pytest.mark.parametrize("mapped", ["queries_to_old", "gallery_to_new"])
def test_maps_own_copies_and_an_index_go_together(rng, mapped, monkeypatch):
    import faiss

    # spaces of equal dimension, and still mapped; every query has a copy of itself in the gallery
    (queries_old, queries_new, gallery_old, gallery_new), asked, held = embeddings(rng)
    asked, queries_old, queries_new = held[:60], gallery_old[:60], gallery_new[:60]
    turn = np.linalg.qr(rng.normal(size=(5, 5)))[0]
    maps = {mapped: (queries_new if mapped == "queries_to_old" else gallery_old) @ turn}
    relevance = Relevance.from_labels(asked, held, exclude=np.arange(60))
    vectors = (queries_old, queries_new, gallery_old, gallery_new)
    built = []
    factory = faiss.index_factory
    monkeypatch.setattr(faiss, "index_factory", lambda *given: built.append(given[0]) or factory(*given))
    for measure in ("cmc@1", "ndcg@5"):
        built.clear()
        found = cross_test(*vectors, relevance, **maps, measure=measure, index="Flat")
        # one for each gallery that is searched, and that of the old one not twice
        assert len(built) == (2 if mapped == "queries_to_old" else 3)
        exact = cross_test(*vectors, relevance, **maps, measure=measure)
        assert found.to_dict() == exact.to_dict()
        assert list(found.per_query) == ["old_old", "new_old", "new_new"]
        assert found.mapped == mapped.split("_")[0]
    # without exclusion every query finds itself, with it none does
    every = cross_test(*vectors, Relevance.from_labels(asked, held), **maps, index="Flat")
    assert every.old_old.value == every.new_new.value == 1 > exact.old_old.value
    bridged = cross_test(*vectors, relevance, **maps, index="Flat").per_query["new_old"]
    gallery = maps.get("gallery_to_new", gallery_old)
    for query, row in enumerate(maps.get("queries_to_old", queries_new)):
        _, best = slow.ranking(row, gallery, "cosine", query)[0]
        assert bridged[query] == (held[best] == asked[query])


def hits(right, of):
    return np.repeat([1.0, 0.0], [right, of - right])


def test_words_where_all_is_shown():
    found = CrossTest.of(
        hits(40, 200), hits(80, 200), hits(110, 200), hits(120, 200), measure="cmc@1", mapped="queries",
        names=("resnet-18", "resnet-50"),
    )  # fmt: skip
    assert str(found).splitlines() == [
        "queries            gallery    cmc@1",
        f"resnet-18          resnet-18  {found.old_old}",
        f"resnet-50, mapped  resnet-18  {found.new_old}",
        f"resnet-50          resnet-50  {found.new_new}",
        f"paragon            paragon    {found.paragon}",
        "Compatible: yes, mapped resnet-50 queries do better on the resnet-18 gallery than resnet-18 queries did, "
        f"+0.2 [+{found.criterion.low:.3g}, +{found.criterion.high:.3g}].",
        f"Update gain: {found.update_gain} of the upgrade to the paragon, +0.4 [+{found.upgrade.low:.3g}, "
        f"+{found.upgrade.high:.3g}].",
        f"Re-embedding the gallery adds +0.15 [+{found.backfill_gain.low:.3g}, +{found.backfill_gain.high:.3g}].",
        f"Against the paragon, resnet-50 on its own gallery differs by -0.05 [{found.cost.low:.3g}, "
        f"{found.cost.high:.3g}].",
        "Measured on 200 queries; brackets hold 95% intervals over them.",
    ]
    assert found.update_gain.value == pytest.approx(0.5)


def test_words_where_little_is_shown():
    better, worse = hits(40, 80), hits(20, 80)
    equal = str(CrossTest.of(better, better, better, groups=np.arange(80) // 8, mapped="gallery"))
    assert "Compatible: can't tell whether new queries do better on the mapped old gallery, +0 [-" in equal
    assert (
        "Update gain: not defined, since the upgrade to new with the gallery re-embedded is not shown to be an "
        "improvement, +0 [-" in equal
    )
    assert "Re-embedding the gallery adds +0 [" in equal
    assert "which may be luck." in equal
    assert (
        "Measured on 80 queries in 10 groups (few enough that the intervals between them are rough); brackets hold 95%"
        in equal
    )
    drop = str(CrossTest.of(better, worse, worse))
    assert "Compatible: no, new queries do not do better on the old gallery than old queries did, -0.25 [" in drop
    assert "Update gain: not defined, since the upgrade to new with the gallery re-embedded makes search worse" in drop


def test_the_result_becomes_json_and_html():
    found = CrossTest.of(hits(3, 9), hits(4, 9), hits(5, 9), measure="map", names=("<old>", "new"))
    written = json.loads(json.dumps(found.to_dict(), allow_nan=False))
    assert written["schema"] == "segue.retrieval.cross/1"
    assert written["compatible"] == "can't tell"
    assert written["update_gain"] == {"value": None, "low": None, "high": None}
    assert written["paragon"] is None
    assert written["cost"] is None
    assert written["criterion"]["value"] == pytest.approx(1 / 9)
    assert "per_query" not in written
    assert "&lt;old&gt;" in found._repr_html_()
    assert "<old>" not in found._repr_html_()


FOUR = np.vstack([EYE, [[1, 1, 1]]])
RELEVANCE = Relevance.from_labels([0, 1, 2], [0, 1, 2, 0])


def crossed(**changed):
    given = {"queries_old": EYE, "queries_new": EYE, "gallery_old": FOUR, "gallery_new": FOUR, "relevance": RELEVANCE}
    return lambda: cross_test(**{**given, **changed})


def with_nan(array):
    return np.where(array == 1, np.nan, array)


@pytest.mark.parametrize(
    ("made", "sentence"),
    [
        (
            crossed(queries_new=np.eye(3, 5) + 1, gallery_new=np.eye(4, 5)),
            "queries_new has 5 dimensions and gallery_old 3, so that new queries can't search the old gallery; pass "
            "queries_to_old, the queries mapped to the old space (queries_new[:, :3] if the model was trained to "
            "extend the old one), or gallery_to_new, the old gallery mapped to the new one",
        ),
        (
            crossed(queries_new=EYE[:, :2] + 1, gallery_new=FOUR[:, :2] + 1),
            "queries_new has 2 dimensions and gallery_old 3, so that new queries can't search the old gallery; pass "
            "queries_to_old, the queries mapped to the old space, or gallery_to_new, the old gallery mapped to the new "
            "one",
        ),
        (
            crossed(queries_to_old=np.eye(3, 5) + 1),
            "queries_to_old has 5 dimensions and gallery_old has 3; embed both with models of one space, or map one of "
            "them with an adapter first",
        ),
        (
            crossed(gallery_to_new=np.eye(4, 5) + 1),
            "queries_new has 3 dimensions and gallery_to_new has 5; embed both with models of one space, or map one of "
            "them with an adapter first",
        ),
        (
            crossed(queries_to_old=EYE, gallery_to_new=FOUR),
            "queries_to_old and gallery_to_new are both given; pass one of them: mapped queries search the old "
            "gallery, or new queries the mapped gallery",
        ),
        (crossed(queries_paragon=EYE), "queries_paragon is given without gallery_paragon; pass both, or neither"),
        (crossed(gallery_paragon=FOUR), "gallery_paragon is given without queries_paragon; pass both, or neither"),
        (
            crossed(queries_new=EYE[:2]),
            "rows don't match: queries_old has 3, queries_new has 2 and relevance knows 3 queries; pass the same "
            "queries in the same order for every model, and their relevance",
        ),
        (
            crossed(gallery_new=EYE),
            "rows don't match: gallery_old has 4, gallery_new has 3 and relevance knows 4 gallery items; pass the same "
            "gallery items in the same order for every model, and their relevance",
        ),
        (
            crossed(queries_new=with_nan(EYE)),
            "queries_new has 3 rows with NaN or infinite numbers, first at row 0; remove these rows or embed them "
            "again",
        ),
        (
            crossed(gallery_old=FOUR * [[1], [0], [1], [1]]),
            "gallery_old has 1 row of zeros, first at row 1; a zero vector has no cosine: remove these rows or pass "
            "metric='inner-product' or metric='l2'",
        ),
        (
            crossed(relevance=[0, 1, 2]),
            "relevance is a list; pass Relevance.from_labels(query_labels, gallery_labels) or "
            "Relevance.from_qrels(...)",
        ),
        (
            crossed(relevance=Relevance.from_labels([7, 8, 9], [0, 1, 2, 0])),
            "relevance has nothing relevant to any of the 3 queries; check that queries and gallery name the same "
            "labels or ids",
        ),
        (
            crossed(relevance=Relevance.from_labels([1, 1, 1], [1, 1, 1, 1], exclude=[0, 1, -1])),
            "relevance has every gallery item relevant to every query, so that any model finds all; pass labels of at "
            "least two classes",
        ),
        (
            crossed(groups=[1, 2]),
            "the arrays differ in length: queries_old has 3, groups has 2; pass one value per sample in the same order",
        ),
        (crossed(groups=[1, 1, 1]), "groups holds a single group; intervals between groups need at least two"),
        (crossed(groups=3), "groups is a single int; pass one value per sample"),
        (crossed(gallery_new=None), "gallery_new is None; pass one vector per row, shape (n, d)"),
        (
            crossed(names=("a", "b", "c")),
            "names is ('a', 'b', 'c'); pass the names of the old and of the new model as a pair",
        ),
        (crossed(names=None), "names is None; pass the names of the old and of the new model as a pair"),
        (crossed(confidence=None), "confidence is None; pass a number between 0 and 1, such as 0.95"),
        (crossed(confidence="0.95"), "confidence is '0.95'; pass a number between 0 and 1, such as 0.95"),
        (crossed(memory="1G"), "memory is '1G'; pass a number of bytes, such as 1,073,741,824 (1 GB)"),
        (crossed(memory=None), "memory is None; pass a number of bytes, such as 1,073,741,824 (1 GB)"),
        (crossed(memory=math.nan), "memory is nan bytes; pass at least 1,048,576 (1 MB)"),
        (crossed(names="ab"), "names is 'ab'; pass the names of the old and of the new model as a pair"),
        (crossed(undefined="drop"), "undefined is 'drop'; pass 'leave out' or 'zero'"),
        (crossed(confidence=95), "confidence is 95; pass a number between 0 and 1, such as 0.95"),
        (crossed(metric="euclid"), "metric is 'euclid'; pass one of 'cosine', 'inner-product', 'l2'"),
        (crossed(memory=1000), "memory is 1000 bytes; pass at least 1,048,576 (1 MB)"),
        (
            crossed(measure="map", index="Flat"),
            "measure 'map' needs the whole ranking, of which an index only finds the first; pass a cut, such as "
            "'map@100', or leave index out",
        ),
        (
            crossed(index=3),
            "index is a int, which holds one gallery; pass the string of an index factory, such as 'HNSW32', which is "
            "built over each",
        ),
        (
            lambda: CrossTest.of([1.0, 0.0], [1.0, 1.0], [1.0, 1.0], seed=-1),
            "seed is -1; pass a whole number of at least 0",
        ),
        (crossed(seed=1.5), "seed is 1.5; pass a whole number of at least 0"),
        (
            lambda: CrossTest.of([1.0, math.nan], [1.0, 0.0], [1.0, math.nan]),
            "old_old and new_old disagree on whether anything is relevant to 1 of the queries, first at query 1; "
            "measure all cells with the same relevance",
        ),
        (
            lambda: CrossTest.of([1.0, 0.0], [1.0, 0.0], [1.0, 2.0]),
            "new_new has 1 value outside [0, 1], first at query 1 (2); pass the values of a metric between 0 and 1",
        ),
        (
            lambda: CrossTest.of([math.nan], [math.nan], [math.nan]),
            "old_old has a value for no query; pass queries to which something is relevant",
        ),
        (
            lambda: CrossTest.of([1.0, 0.0], [1.0], [1.0, 0.0]),
            "the arrays differ in length: old_old has 2, new_old has 1, new_new has 2; pass one value per sample in "
            "the same order",
        ),
    ],
)
def test_mistakes(made, sentence):
    with pytest.raises(InputError) as caught:
        made()
    assert str(caught.value) == sentence


def test_frames_in_another_order_are_refused():
    pandas = pytest.importorskip("pandas")
    old, new = (pandas.DataFrame(EYE, index=list(order)) for order in ("abc", "acb"))
    with pytest.raises(InputError, match="the indices of queries_old and queries_new differ, first at position 1"):
        crossed(queries_old=old, queries_new=new)()
