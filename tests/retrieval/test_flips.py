import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from segue.errors import InputError
from segue.flips import Policy, compare, compare_scores, decide
from segue.report import render, write_report
from segue.retrieval import (
    Hits,
    Relevance,
    found,
    judge,
    query_values,
    retrieval_flips,
    retrieval_score_flips,
    search,
)
from tests.retrieval import slow

EYE = np.eye(3)
LABELS = ["a", "b", "c"]


def test_three_queries_by_hand():
    # At rank 1 a query finds the item that it points at: old ones find "a" and "b", new ones "b" and "c".
    report = retrieval_flips(
        EYE[[0, 1, 0]], EYE[[1, 1, 2]], EYE, EYE, Relevance.from_labels(LABELS, LABELS), k=1, ids=["q0", "q1", "q2"]
    )
    assert (report.samples, report.negative_flips, report.positive_flips) == (3, 1, 1)
    assert report.accuracy_old.value == report.accuracy_new.value == pytest.approx(2 / 3)
    assert report.negative_flip_rate.value == pytest.approx(1 / 3)
    assert report.flips.to_dict() == {
        "id": ["q0", "q2"],
        "flip": ["negative", "positive"],
        "label": ["found", "found"],
        "old": ["found", "not found"],
        "new": ["not found", "found"],
        "relevant": [1, 1],
        "old_nearest": [0, 0],
        "new_nearest": [1, 2],
    }
    assert report.flip_matrix.to_dict() == [{"label": "found", "answer": "not found", "count": 1}]
    assert report.notes == ("a sample is a query, and its answer is right when the nearest item is relevant",)


def drawn(rng, queries=70, gallery=80, classes=9, dimension=4):
    centres = rng.normal(size=(classes, dimension))
    asked, held = rng.integers(0, classes, size=queries), rng.integers(0, classes, size=gallery)
    vectors = [centres[labels] + rng.normal(size=(len(labels), dimension)) for labels in (asked, asked, held, held)]
    return vectors, asked, held


@pytest.mark.parametrize("k", [1, 5])
def test_flips_agree_with_loops_over_pairs(rng, k):
    (queries_old, queries_new, gallery_old, gallery_new), asked, held = drawn(rng)
    own = np.where(rng.random(70) < 0.5, np.arange(70), -1)
    relevance = Relevance.from_labels(asked, held, exclude=own)
    report = retrieval_flips(
        queries_old, queries_new, gallery_old, gallery_new, relevance, k=k, without_relevant="leave out"
    )
    lost = [
        query for query in range(70)
        if [any(held[row] == asked[query] for _, row in slow.ranking(queries[query], gallery, "cosine", own[query])[:k])
            for queries, gallery in ((queries_old, gallery_old), (queries_new, gallery_new))] == [True, False]
    ]  # fmt: skip
    assert lost
    columns = report.flips.columns
    assert columns["id"][columns["flip"] == "negative"].tolist() == lost
    assert report.negative_flip_rate.value == pytest.approx(len(lost) / int((relevance.totals > 0).sum()))
    for row, nearest, total in zip(columns["id"], columns["new_nearest"], columns["relevant"], strict=True):
        assert nearest == slow.ranking(queries_new[row], gallery_new, "cosine", own[row])[0][1]
        assert total == sum(held[item] == asked[row] for item in range(80) if item != own[row])


def test_the_report_is_that_of_answers_found_and_not_found(rng):
    (queries_old, queries_new, gallery_old, _), asked, held = drawn(rng)
    relevance = Relevance.from_labels(asked, held)
    said = {
        "slices": {"city": np.array(["Rome", "Oslo"])[asked % 2]},
        "groups": asked,
        "weights": rng.random(70),
        "ids": [f"query {number}" for number in rng.permutation(70)],
    }
    report = retrieval_flips(queries_old, queries_new, gallery_old, gallery_old, relevance, k=3, **said)
    old, new = (found(judge(search(one, gallery_old, 3), relevance), 3) for one in (queries_old, queries_new))
    answers = compare(np.ones(70, dtype=int), old, new, **said)
    assert report.rates == answers.rates
    assert [part.to_dict() for part in report.slices] == [part.to_dict() for part in answers.slices]
    assert report.flips.columns["id"].tolist() == answers.flips.columns["id"].tolist()


def test_scores_are_those_of_the_measure(rng):
    vectors, asked, held = drawn(rng)
    relevance = Relevance.from_labels(asked, held)
    report = retrieval_score_flips(*vectors, relevance, measure="nDCG@5", tolerance=0.1, groups=asked)
    old, new = (query_values("ndcg@5", vectors[one], vectors[one + 2], relevance) for one in (0, 1))
    plain = compare_scores(old, new, tolerance=0.1, groups=asked)
    assert report.rates == plain.rates
    assert report.negative_flips == int((new - old < -0.1).sum()) > 0
    assert report.notes == ("a sample is a query, and its score is its ndcg@5",)


def test_scores_by_hand():
    # The relevant item stands first and second with the old queries, second and first with the new ones.
    gallery = [[1.0, 0.0], [0.8, 0.6], [0.0, 1.0]]
    report = retrieval_score_flips(
        [[1.0, 0.0], [0.8, 0.6]], [[0.8, 0.59], [0.1, 1.0]], gallery, gallery,
        Relevance.from_labels(["a", "c"], ["a", "b", "c"]), measure="mrr", tolerance=0.4,
    )  # fmt: skip
    assert (report.score_old.value, report.score_new.value) == (pytest.approx((1 + 1 / 3) / 2), 0.75)
    assert (report.negative_flips, report.positive_flips) == (1, 1)
    assert report.mean_regression.value == 0.5


@given(st.integers(0, 2**32 - 1), st.integers(1, 6))
def test_a_system_against_itself_flips_nothing_and_swapping_two_swaps_the_flips(seed, k):
    (queries_old, queries_new, gallery_old, gallery_new), asked, held = drawn(np.random.default_rng(seed), 30, 40)
    relevance = Relevance.from_labels(asked, held)
    options = {"k": k, "without_relevant": "leave out"}
    same = retrieval_flips(queries_old, queries_old, gallery_old, gallery_old, relevance, **options)
    assert same.negative_flips == same.positive_flips == 0
    one = retrieval_flips(queries_old, queries_new, gallery_old, gallery_new, relevance, **options)
    other = retrieval_flips(queries_new, queries_old, gallery_new, gallery_old, relevance, **options)
    assert (one.negative_flips, one.positive_flips) == (other.positive_flips, other.negative_flips)


def test_found_tells_of_every_query():
    judged = judge(
        Hits(np.array([[0, 1], [1, 2], [0, 1]]), np.tile([0.9, 0.8], (3, 1))),
        Relevance.from_labels(["a", "c", "z"], ["a", "b", "c"]),
    )
    assert found(judged, 1).tolist() == [True, False, False]
    assert found(judged, 2).tolist() == [True, True, False]


def test_queries_with_nothing_relevant_are_refused_or_left_out_with_a_note():
    relevance = Relevance.from_labels(["z", "b", "c"], LABELS)
    with pytest.raises(InputError) as caught:
        retrieval_flips(EYE, EYE, EYE, EYE, relevance)
    assert str(caught.value) == (
        "relevance has nothing relevant to 1 query, which has no answer to lose, first at query 0; pass "
        "without_relevant='leave out' or remove it"
    )
    report = retrieval_flips(
        EYE[[0, 1, 2]], EYE[[0, 2, 2]], EYE, EYE, relevance, k=1, without_relevant="leave out",
        slices={"kind": np.array(["x", "y", "z"])}, groups=["g", "g", "h"], weights=[9.0, 1.0, 3.0],
    )  # fmt: skip
    assert report.samples == 2
    assert report.negative_flip_rate.value == 0.25
    assert report.flips.columns["id"].tolist() == [1]
    assert report.flips.columns["kind"].tolist() == ["y"]
    assert report.flips.columns["new_nearest"].tolist() == [2]
    assert "1 query was left out: nothing is relevant to it" in report.notes
    assert "Note: 1 query was left out: nothing is relevant to it." in str(report)
    graded = retrieval_score_flips(EYE, EYE, EYE, EYE, relevance, without_relevant="leave out")
    assert graded.samples == 2
    assert "1 query was left out: nothing is relevant to it" in graded.notes


def test_the_gate_decides_on_queries_as_on_answers():
    labels = np.arange(300) % 3
    broken = np.where(np.arange(300) < 30, (labels + 1) % 3, labels)
    relevance = Relevance.from_labels(labels, [0, 1, 2])
    report = retrieval_flips(
        EYE[labels], EYE[broken], EYE, EYE, relevance, k=1, slices={"class": labels}, names=("clip-b", "clip-l")
    )
    assert decide(report, Policy(max_nfr=0.01)).exit_code == 1
    assert decide(report, Policy(max_nfr=0.2)).exit_code == 0
    assert decide(report, Policy(max_nfr=0.1)).exit_code == 3
    for query, code in ((5, 1), (100, 0)):
        assert decide(report, Policy(golden={"ids": [query]}), ids=np.arange(300)).exit_code == code
    graded = retrieval_score_flips(EYE[labels], EYE[broken], EYE, EYE, relevance, measure="mrr", tolerance=0.1)
    assert decide(graded, Policy(max_nfr=0.01)).exit_code == 1
    json.dumps(report.to_dict(), allow_nan=False)


def test_the_page_reads_as_one_of_queries(tmp_path, rng):
    vectors, asked, held = drawn(rng)
    relevance = Relevance.from_labels(asked, held)
    report = retrieval_flips(*vectors, relevance, k=5, names=("clip-b", "clip-l"))
    page = write_report(report, tmp_path / "flips.html", decision=decide(report, Policy(max_nfr=0.01))).read_text()
    for words in (
        "A sample is a query, and its answer is right when a relevant item is among the 5 nearest.",
        "not found",
        "clip-b → clip-l",
        "new_nearest",
    ):
        assert words in page
    assert "its score is its map" in render(retrieval_score_flips(*vectors, relevance, measure="map"))


def test_indexes_are_taken_as_a_factory_or_a_pair(rng):
    faiss = pytest.importorskip("faiss")
    vectors, asked, held = drawn(rng)
    relevance = Relevance.from_labels(asked, held)
    pair = []
    for gallery in vectors[2:]:
        index = faiss.IndexFlatL2(4)
        index.add(gallery.astype(np.float32))
        pair.append(index)
    exact = retrieval_flips(*vectors, relevance, k=3, metric="l2")
    for index in ("Flat", tuple(pair)):
        assert retrieval_flips(*vectors, relevance, k=3, metric="l2", index=index).to_dict() == exact.to_dict()


RELEVANCE = Relevance.from_labels(LABELS, LABELS)


def flips(**changed):
    given = {"queries_old": EYE, "queries_new": EYE, "gallery_old": EYE, "gallery_new": EYE, "relevance": RELEVANCE}
    return lambda: retrieval_flips(**{**given, **changed})


@pytest.mark.parametrize(
    ("made", "sentence"),
    [
        (
            flips(queries_new=np.eye(3, 4)),
            "queries_new has 4 dimensions and gallery_new has 3; embed both with models of one space, or map one of "
            "them with an adapter first",
        ),
        (
            flips(queries_new=EYE[:2]),
            "rows don't match: queries_old has 3, queries_new has 2 and relevance knows 3 queries; pass the same "
            "queries in the same order for every model, and their relevance",
        ),
        (
            flips(queries_old=np.where(EYE == 1, np.nan, EYE)),
            "queries_old has 3 rows with NaN or infinite numbers, first at row 0; remove these rows or embed them "
            "again",
        ),
        (
            flips(relevance=Relevance.from_labels([1, 1, 1], [1, 1, 1])),
            "relevance has every gallery item relevant to every query, so that any model finds all; pass labels of at "
            "least two classes",
        ),
        (
            flips(relevance=Relevance.from_labels([7, 8, 9], [1, 2, 3])),
            "relevance has nothing relevant to any of the 3 queries; check that queries and gallery name the same "
            "labels or ids",
        ),
        (
            flips(relevance=Relevance.from_labels([7, 8, 3], [1, 2, 3])),
            "relevance has nothing relevant to 2 queries, which have no answer to lose, first at query 0; pass "
            "without_relevant='leave out' or remove them",
        ),
        (
            flips(relevance=LABELS),
            "relevance is a list; pass Relevance.from_labels(query_labels, gallery_labels) or "
            "Relevance.from_qrels(...)",
        ),
        (flips(without_relevant="drop"), "without_relevant is 'drop'; pass 'refuse' or 'leave out'"),
        (flips(k=0), "k is 0; pass a whole number of at least 1"),
        (
            flips(ids=["a", "b", "a"]),
            "ids repeats 1 value ('a'); every sample needs an id of its own",
        ),
        (
            flips(ids=["a", "b"]),
            "the arrays differ in length: queries_old has 3, ids has 2; pass one value per sample in the same order",
        ),
        (
            flips(weights=[1.0, -1.0, 1.0]),
            "weights has 1 value below zero, NaN or infinite, first at position 1 (-1); pass finite weights of zero or "
            "more",
        ),
        (
            flips(slices={"kind": ["x", "y"]}),
            "the arrays differ in length: queries_old has 3, slices['kind'] has 2; pass one value per sample in the "
            "same order",
        ),
        (
            flips(groups=["x", "y"]),
            "the arrays differ in length: queries_old has 3, groups has 2; pass one value per sample in the same order",
        ),
        (flips(names=("a",)), "names is ('a',); pass the names of the old and of the new model as a pair"),
        (flips(names=("a", 1)), "names is ('a', 1); pass the names of the old and of the new model as a pair"),
        (flips(memory="1G"), "memory is '1G'; pass a number of bytes, such as 1,073,741,824 (1 GB)"),
        (flips(seed=-1, index="Nonsense"), "seed is -1; pass a whole number of at least 0"),  # before the search
        (
            lambda: retrieval_score_flips(EYE, EYE, EYE, EYE, RELEVANCE, seed=-1, index="Nonsense"),
            "seed is -1; pass a whole number of at least 0",
        ),
        (flips(confidence=None), "confidence is None; pass a number between 0 and 1, such as 0.95"),
        (
            lambda: retrieval_score_flips(EYE, EYE, EYE, EYE, RELEVANCE, names=3),
            "names is 3; pass the names of the old and of the new model as a pair",
        ),
        (
            lambda: query_values("cmc@1", EYE, EYE, LABELS),
            "relevance is a list; pass Relevance.from_labels(query_labels, gallery_labels) or "
            "Relevance.from_qrels(...)",
        ),
        (
            lambda: query_values("map", EYE[:2], EYE, RELEVANCE),
            "queries and gallery have 2 and 3 rows, relevance 3 and 3; pass the relevance of these queries in this "
            "gallery",
        ),
        (
            flips(index=3),
            "index is a int; pass the string of an index factory, or the indexes of the old and of the new gallery as "
            "a pair",
        ),
        (
            lambda: retrieval_score_flips(EYE, EYE, EYE, EYE, RELEVANCE, measure="map", index="Flat"),
            "measure 'map' needs the whole ranking, of which an index only finds the first; pass a cut, such as "
            "'map@100', or leave index out",
        ),
        (
            lambda: retrieval_score_flips(EYE, EYE, EYE, EYE, RELEVANCE, tolerance=-1),
            "tolerance is -1; pass a finite number of zero or more, in the unit of the scores",
        ),
    ],
)
def test_mistakes(made, sentence):
    with pytest.raises(InputError) as caught:
        made()
    assert str(caught.value) == sentence
