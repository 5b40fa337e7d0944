import json
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from segue.errors import InputError
from segue.flips.intervals import clopper_pearson
from segue.retrieval import Relevance, tar_at_far
from segue.retrieval.thresholds import at_old_threshold, threshold_at_far
from tests.retrieval import slow

METRICS = ("cosine", "inner-product", "l2")


def people(rng, queries=40, items=60, dimension=8, persons=12, noise=1.0):
    faces = rng.normal(size=(persons, dimension))
    asked, held = rng.integers(0, persons, size=queries), rng.integers(0, persons, size=items)
    asked[0] = held[0]
    return (
        (faces[asked] + noise * rng.normal(size=(queries, dimension))).astype(np.float32),
        (faces[held] + noise * rng.normal(size=(items, dimension))).astype(np.float32),
        asked,
        held,
    )


def slow_pairs(queries, gallery, relevance, metric):
    """Genuine and impostor scores, pair by pair in one order."""
    genuine, impostor = [], []
    for query in range(len(queries)):
        items, grades = relevance.items(query)
        relevant = set(items[grades >= relevance.at_least].tolist())
        for row in range(len(gallery)):
            if row != relevance.exclude[query]:
                score = float(slow.score(queries[query], gallery[row], metric))
                (genuine if row in relevant else impostor).append(score)
    return np.array(genuine), np.array(impostor)


def agrees(study, old, new, threshold):
    """Hold a study against the scores of all pairs."""
    genuine, impostor = ((old[i], new[i]) for i in (0, 1))
    for rates, scores, wrong in ((study.false_accepts, impostor, 1), (study.false_rejects, genuine, 0)):
        erring = [(values > threshold) == wrong for values in scores]
        assert rates.old.value == pytest.approx(erring[0].mean(), abs=1e-12)
        assert rates.new.value == pytest.approx(erring[1].mean(), abs=1e-12)
        assert rates.change.value == pytest.approx(erring[1].mean() - erring[0].mean(), abs=1e-12)
        assert rates.newly.value == pytest.approx((erring[1] & ~erring[0]).mean(), abs=1e-12)
        for found in (rates.old, rates.new, rates.change, rates.newly):
            assert found.low - 1e-12 <= found.value <= found.high + 1e-12
    passing = int((impostor[0] > threshold).sum())
    falling = np.sort(impostor[1])[::-1]
    own = falling[passing] if passing < len(falling) else -math.inf
    assert study.matched.threshold == own
    assert study.matched.false_accepts.value == pytest.approx((impostor[1] > own).mean(), abs=1e-12)
    assert study.matched.true_accepts.value == pytest.approx((genuine[1] > own).mean(), abs=1e-12)
    change = (genuine[1] > own).mean() - (genuine[0] > threshold).mean()
    assert study.matched.true_accepts_change.value == pytest.approx(change, abs=1e-12)


@pytest.mark.parametrize("metric", METRICS)
def test_it_agrees_with_all_pairs_and_their_thresholds(metric, rng):
    old_queries, old_gallery, asked, held = people(rng)
    new_queries, new_gallery = (
        np.hstack([side, rng.normal(size=(len(side), 2))]).astype(np.float32) for side in (old_queries, old_gallery)
    )
    relevance = Relevance.from_labels(asked, held)
    study = at_old_threshold(old_queries, new_queries, old_gallery, new_gallery, relevance, far=0.02, metric=metric)
    old = slow_pairs(old_queries, old_gallery, relevance, metric)
    new = slow_pairs(new_queries, new_gallery, relevance, metric)
    verified = tar_at_far(*old, 0.02)
    assert study.threshold == verified.threshold
    assert study.false_accepts.old.value == pytest.approx(verified.far.value)
    assert study.false_rejects.old.value == pytest.approx(1 - verified.tar.value)
    assert study.threshold == threshold_at_far(old_queries, old_gallery, relevance, 0.02, metric=metric)
    agrees(study, old, new, verified.threshold)


@given(seed=st.integers(0, 10**6), far=st.sampled_from([0.05, 0.3, 0.7]), metric=st.sampled_from(METRICS))
def test_ties_own_copies_and_grades(seed, far, metric):
    rng = np.random.default_rng(seed)
    old_queries, new_queries = rng.integers(1, 3, size=(2, 7, 2))
    old_gallery, new_gallery = rng.integers(1, 3, size=(2, 9, 2))
    grades = {f"q{q}": {f"i{i}": int(rng.integers(0, 4)) for i in range(9)} for q in range(7)}
    relevance = Relevance.from_qrels(
        grades,
        [f"q{q}" for q in range(7)],
        [f"i{i}" for i in range(9)],
        exclude=rng.integers(-1, 9, size=7),
        at_least=2,
    )
    old = slow_pairs(old_queries, old_gallery, relevance, metric)
    far = max(far, 1 / len(old[1]))  # at least one impostor may pass
    study = at_old_threshold(old_queries, new_queries, old_gallery, new_gallery, relevance, far=far, metric=metric)
    agrees(study, old, slow_pairs(new_queries, new_gallery, relevance, metric), tar_at_far(*old, far).threshold)


@pytest.mark.parametrize("threshold", [-2.0, 0.2, 0.3, 2.0])
def test_a_given_threshold_is_taken_as_it_is(threshold, rng):
    queries, gallery, asked, held = people(rng)
    new = gallery + 0.5 * rng.normal(size=gallery.shape)
    relevance = Relevance.from_labels(asked, held)
    study = at_old_threshold(queries, queries, gallery, new, relevance, threshold=threshold)
    assert (study.threshold, study.far) == (threshold, None)
    pairs = [slow_pairs(queries, side, relevance, "cosine") for side in (gallery, new)]
    agrees(study, *pairs, threshold)


def test_a_threshold_between_two_32_bit_numbers_is_not_rounded():
    # 0.1f is a little above 0.1
    relevance = Relevance.from_labels([0], [0, 1])
    gallery = [[1.0], [0.1]]
    study = at_old_threshold(
        [[1.0]], [[1.0]], gallery, gallery, relevance, threshold=0.1 + 1e-10, metric="inner-product"
    )
    assert study.false_accepts.old.value == 1.0


def test_little_memory_changes_nothing(rng):
    queries, gallery, asked, held = people(rng, queries=150, items=700)
    new = gallery + 0.5 * rng.normal(size=gallery.shape).astype(np.float32)
    arguments = (queries, queries, gallery, new, Relevance.from_labels(asked, held))
    whole = at_old_threshold(*arguments).to_dict()
    assert at_old_threshold(*arguments, memory=1 << 20).to_dict() == whole


def test_pairs_of_a_query_count_as_one_group_and_so_do_queries_of_a_group(rng):
    queries, gallery, asked, held = people(rng, queries=60)
    relevance = Relevance.from_labels(asked, held)
    # each query five times over adds pairs, and nothing else
    five = np.repeat(np.arange(60), 5)
    once = at_old_threshold(queries, queries, gallery, gallery, relevance, threshold=0.4)
    often = at_old_threshold(
        queries[five], queries[five], gallery, gallery, relevance.select(five), threshold=0.4, groups=five
    )
    for rates in ("false_accepts", "false_rejects"):
        one, other = getattr(once, rates).old, getattr(often, rates).old
        assert (other.value, other.low, other.high) == pytest.approx((one.value, one.low, one.high), abs=1e-3)
    pairs = once.false_rejects.pairs
    alone = clopper_pearson(pairs.samples - pairs.right_old, pairs.samples)
    assert once.false_rejects.old.high - once.false_rejects.old.low > 1.2 * (alone.high - alone.low)
    assert often.groups == 60


def test_intervals_cover_the_rate_among_all_queries(rng):
    queries, gallery, asked, held = people(rng, queries=3000, items=120, persons=30)
    relevance = Relevance.from_labels(asked, held)

    def study(rows):
        return at_old_threshold(
            queries[rows], queries[rows], gallery, gallery[::-1] * 1, relevance.select(rows), threshold=0.5
        )

    truth = study(np.arange(3000))
    covered = np.zeros(3)
    for _ in range(40):
        found = study(rng.choice(3000, size=80, replace=False))
        for number, name in enumerate(("old", "new", "change")):
            estimate = getattr(found.false_accepts, name)
            covered[number] += estimate.low <= getattr(truth.false_accepts, name).value <= estimate.high
    assert (covered >= 35).all()


def test_the_same_system_changes_nothing(rng):
    queries, gallery, asked, held = people(rng)
    study = at_old_threshold(queries, queries, gallery, gallery, Relevance.from_labels(asked, held), far=0.01)
    assert study.false_accepts.change.value == study.false_rejects.change.value == 0
    assert study.false_accepts.newly.value == 0
    assert study.matched.threshold == study.threshold
    assert study.matched.true_accepts_change.value == 0


def test_words_and_json():
    relevance = Relevance.from_labels(["ann", "bob"], ["ann", "bob"])
    old, new = [[1.0, 0.0], [0.0, 1.0]], [[1.0, 0.0], [1.0, 0.2]]
    study = at_old_threshold(old, new, old, new, relevance, threshold=0.5)
    told = str(study)
    accepts, rejects, own = study.false_accepts, study.false_rejects, study.matched
    assert told.splitlines() == [
        "The old threshold is 0.5, as given: pairs that score above it are accepted.",
        f"Impostor pairs accepted: {accepts.old.percent(4)} of 2 by the old system, {accepts.new.percent(4)} by the "
        f"new one (change {accepts.change.percent(4, signed=True)}).",
        f"Genuine pairs rejected: {rejects.old.percent()} of 2 by the old system, {rejects.new.percent()} by the new "
        f"one (change {rejects.change.percent(signed=True)}); {rejects.newly.percent()} by the new one alone.",
        "At a threshold of its own, 0.9806, the new system accepts no more impostors than the old one did, and "
        f"{own.true_accepts.percent()} of the genuine pairs (change {own.true_accepts_change.percent(signed=True)}).",
        "Measured on 2 queries; brackets hold 95% intervals over them.",
    ]
    assert "<td>impostor pairs accepted</td><td>0.0000% [" in study._repr_html_()
    numbers = json.loads(json.dumps(study.to_dict()))
    assert numbers["false_accepts"]["new"]["value"] == 1.0
    assert numbers["false_accepts"]["pairs"]["negative_flips"] == 2
    everybody = at_old_threshold(old, new, old, new, relevance, threshold=-1)
    assert everybody.to_dict()["matched"]["threshold"] is None
    assert "set on these pairs for at most 50% false accepts" in str(
        at_old_threshold(old, new, old, new, relevance, far=0.5)
    )


TWO = np.eye(2)


@pytest.mark.parametrize(
    ("changed", "sentence"),
    [
        ({"threshold": math.nan}, "threshold is nan; pass a finite score, or leave it out to set it by far"),
        ({"threshold": "0.3x"}, "threshold is '0.3x'; pass a finite score, or leave it out to set it by far"),
        (
            {"far": 0.001},
            "far is 0.001, which 2 impostor pairs can't show; pass at least 1,000 of them, or a far of at least 0.5",
        ),
        ({"far": None}, "far is None; pass a number between 0 and 1, such as 0.001"),
        ({"far": 1.0}, "far is 1.0; pass a number between 0 and 1, such as 0.001"),
        (
            {"gallery_new": np.eye(3)},
            "queries_new has 2 dimensions and gallery_new has 3; embed both with models of one space, or map one of "
            "them with an adapter first",
        ),
        (
            {"queries_new": np.ones((3, 2))},
            "queries_new and gallery_new have 3 and 2 rows, relevance 2 and 2; pass the relevance of these queries in "
            "this gallery",
        ),
        (
            {"queries_old": [[1.0, np.nan], [1, 1]]},
            "queries_old has 1 row with NaN or infinite numbers, first at row 0; remove these rows or embed them again",
        ),
        (
            {"relevance": Relevance.from_labels([0, 0], [1, 1])},
            "relevance has no genuine pair; pass queries to which something in the gallery is relevant",
        ),
        (
            {"relevance": Relevance.from_labels([0, 0], [0, 0])},
            "relevance has no impostor pair; pass queries to which something in the gallery is not relevant",
        ),
        (
            {"groups": [1, 1]},
            "groups holds a single group; intervals between groups need at least two",
        ),
        # before scores are counted, which would find no impostor
        (
            {"relevance": Relevance.from_labels([0, 0], [0, 0]), "seed": -1},
            "seed is -1; pass a whole number of at least 0",
        ),
        ({"metric": "euclid"}, "metric is 'euclid'; pass one of 'cosine', 'inner-product', 'l2'"),
    ],
)
def test_mistakes(changed, sentence):
    arguments = {
        "queries_old": TWO, "queries_new": TWO, "gallery_old": TWO, "gallery_new": TWO,
        "relevance": Relevance.from_labels([0, 1], [0, 1]), "far": 0.5,
    } | changed  # fmt: skip
    with pytest.raises(InputError) as caught:
        at_old_threshold(**arguments)
    assert str(caught.value) == sentence
