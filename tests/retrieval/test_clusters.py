import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.neighbors import NearestCentroid

from segue.errors import InputError
from segue.retrieval import mean_difference, mean_over_queries
from segue.retrieval.agreement import adjusted_rand, bcubed
from segue.retrieval.clusters import cluster_study
from segue.retrieval.nearest_centroid import assign, centroids

METRICS = ("cosine", "inner-product", "l2")


def albums(rng, items=400, clusters=8, dimension=6, noise=0.5):
    number = rng.integers(0, clusters, size=items)
    number[:clusters] = np.arange(clusters)
    centres = 3 * rng.normal(size=(clusters, dimension))
    old = centres[number] + noise * rng.normal(size=(items, dimension))
    return old.astype(np.float32), number


def slow_centroids(vectors, clusters, metric):
    found = {}
    for name in sorted(set(clusters.tolist())):
        rows = vectors[clusters == name].astype(np.float64)
        if metric == "cosine":
            rows = rows / np.linalg.norm(rows, axis=1, keepdims=True)
        found[name] = rows.mean(axis=0)
    return found


@pytest.mark.parametrize("metric", METRICS)
def test_centroids_and_assignment_agree_with_loops(metric, rng):
    vectors, clusters = albums(rng, noise=3)
    known, expected = centroids(vectors, clusters, metric=metric), slow_centroids(vectors, clusters, metric)
    assert known.names.tolist() == list(expected)
    np.testing.assert_allclose(known.vectors, list(expected.values()), atol=1e-12)
    assert known.sizes.tolist() == np.bincount(clusters).tolist()
    centre = np.array(list(expected.values()))
    if metric == "cosine":
        centre = centre / np.linalg.norm(centre, axis=1, keepdims=True)
    nearest = {
        "cosine": lambda x: (centre @ x).argmax(),
        "inner-product": lambda x: (centre @ x).argmax(),
        "l2": lambda x: ((centre - x) ** 2).sum(axis=1).argmin(),
    }[metric]
    asked = rng.normal(size=(50, 6))
    assert assign(asked, known).tolist() == [nearest(x) for x in asked]


def test_assignment_agrees_with_scikit_learn(rng):
    vectors, clusters = albums(rng, noise=3)
    asked = rng.normal(size=(200, 6))
    theirs = NearestCentroid().fit(vectors, clusters).predict(asked)
    np.testing.assert_array_equal(assign(asked, centroids(vectors, clusters, metric="l2")), theirs)


@given(st.lists(st.integers(0, 4), min_size=1, max_size=40), st.integers(0, 10**6))
def test_order_of_items_and_names_of_clusters_mean_nothing_to_centroids(clusters, seed):
    rng = np.random.default_rng(seed)
    vectors, shuffled = rng.normal(size=(len(clusters), 3)), rng.permutation(len(clusters))
    known = centroids(vectors, clusters, metric="l2")
    other = centroids(vectors[shuffled], np.array(list("abcde"))[np.array(clusters)[shuffled]], metric="l2")
    np.testing.assert_allclose(known.vectors, other.vectors, atol=1e-12)
    np.testing.assert_array_equal(known.sizes, other.sizes)


def test_blocks_of_rows_change_nothing(rng, monkeypatch):
    from segue.retrieval import nearest_centroid

    vectors, clusters = albums(rng)
    whole = centroids(vectors, clusters)
    monkeypatch.setattr(nearest_centroid, "SLAB", 40)
    np.testing.assert_allclose(centroids(vectors, clusters).vectors, whole.vectors, atol=1e-12)


def test_a_study_is_made_of_its_parts(rng):
    old, clusters = albums(rng, noise=2)
    new = (old + 2 * rng.normal(size=old.shape)).astype(np.float32)
    labels = (clusters + (rng.random(len(clusters)) < 0.1)) % 8
    events = rng.integers(0, 40, size=len(clusters))
    study = cluster_study(old, new, clusters, labels=labels, groups=events)
    known = centroids(old, clusters)
    by_old, by_new = assign(old, known), assign(new, known)
    np.testing.assert_array_equal(study.assigned_new, by_new)
    assert study.new.bcubed == bcubed(clusters, by_new)
    assert study.old.adjusted_rand == adjusted_rand(clusters, by_old)
    assert study.truth.clusters == bcubed(labels, clusters)
    assert study.truth.new == bcubed(labels, by_new)
    moved = [(found != clusters).astype(float) for found in (by_old, by_new)]
    assert study.moved_new == mean_over_queries(moved[1], groups=events)
    assert study.moved_change == mean_difference(*moved, groups=events)
    assert study.moved_change.low > 0
    lost = {loss.name: round(loss.items * (loss.kept_old - loss.kept_new), 6) for loss in study.losses}
    assert list(lost.values()) == sorted(lost.values(), reverse=True)
    assert sum(lost.values()) == pytest.approx(len(clusters) * study.moved_change.value)


def test_the_same_vectors_move_nothing(rng):
    old, clusters = albums(rng)
    study = cluster_study(old, old, clusters)
    assert study.moved_change.value == 0
    assert study.new == study.old
    assert "lose most" not in str(study)


def test_held_out_items_have_no_part_in_the_centroids(rng):
    old, clusters = albums(rng, noise=2)
    new = (old + rng.normal(size=old.shape)).astype(np.float32)
    flags = rng.random(len(clusters)) < 0.3
    flags[:8] = False
    study = cluster_study(old, new, clusters, held_out=flags, labels=clusters, groups=clusters)
    known = centroids(old[~flags], clusters[~flags])
    np.testing.assert_array_equal(study.assigned_old, assign(old[flags], known))
    np.testing.assert_array_equal(study.assigned_new, assign(new[flags], known))
    assert study.items == flags.sum()
    assert study.truth.clusters.f1 == 1
    assert "items that the centroids do not know in 8 old clusters" in str(study)


def test_an_item_pulls_its_own_centroid_unless_it_is_held_out():
    # clusters of one and two: alone, an item is its own centroid, and can't move
    old = np.array([[1.0, 0], [0.9, 0.1], [0.0, 1.0], [0.6, 0.5]])
    clusters = np.array([0, 0, 1, 1])
    assert cluster_study(old, old, clusters, metric="l2").moved_old.value == 0
    later = cluster_study(old, old, clusters, metric="l2", held_out=np.array([False, False, False, True]))
    assert later.moved_old.value == 1


def test_little_memory_changes_nothing(rng):
    old, clusters = albums(rng, items=20_000, dimension=32)
    new = np.roll(old, 1, axis=1)
    assert cluster_study(old, new, clusters).to_dict() == cluster_study(old, new, clusters, memory=1 << 20).to_dict()


def test_words_and_json():
    old = [[1.0, 0.0], [1.0, 0.1], [0.0, 1.0], [0.1, 1.0]]
    new = [[1.0, 0.0], [0.1, 1.0], [0.0, 1.0], [0.1, 1.0]]
    study = cluster_study(old, new, ["sea", "sea", "hill", "hill"], labels=[1, 1, 2, 2])
    assert str(study) == (
        "Of 4 items in 2 old clusters, the new vectors put 25.00% [0.63%, 80.59%] nearest to the centroid of another "
        "cluster.\n"
        "The old vectors did so for 0.00% [0.00%, 60.24%] (difference +25.00% [-36.24%, +69.94%]).\n"
        "Agreement with the old clusters by new vectors: B-cubed F1 70.59% (precision 66.67%, recall 75.00%), adjusted "
        "Rand 0.000; by old vectors: B-cubed F1 100.00% (precision 100.00%, recall 100.00%), adjusted Rand 1.000.\n"
        "Against the true labels, B-cubed F1 is 100.00% for the clusters as they are, 100.00% by old and 70.59% by new "
        "vectors.\n"
        "The clusters that lose most: sea (keeps 50% of 2 items by new vectors, 100% by old ones).\n"
        "Measured on 4 items; brackets hold 95% intervals over them."
    )
    assert "<td>adjusted Rand</td><td>1.000</td><td>0.000</td>" in study._repr_html_()
    told = json.loads(json.dumps(study.to_dict()))
    assert told["losses"][0] == {"name": "sea", "items": 2, "kept_old": 1.0, "kept_new": 0.5}
    known = centroids(old, ["sea", "sea", "hill", "hill"])
    assert str(known) == "2 centroids of 4 items, the smallest cluster with 2, the largest with 2."
    assert json.loads(json.dumps(known.to_dict()))["names"] == ["hill", "sea"]


GOOD = np.eye(3)


@pytest.mark.parametrize(
    ("changed", "sentence"),
    [
        (
            {"clusters": ["a", "a", "a"]},
            "clusters holds the single cluster a; nothing can leave it: pass at least two",
        ),
        (
            {"clusters": [0, 1]},
            "the arrays differ in length: gallery_old has 3, gallery_new has 3, clusters has 2; pass one value per "
            "sample in the same order",
        ),
        (
            {"clusters": [0.5, 1, 2]},
            "clusters holds floating-point numbers (0.5, ...), which are no classes; pass integers or strings, scores "
            "with thresholds=(old, new), or graded scores to compare_scores()",
        ),
        (
            {"gallery_new": np.eye(3)[:, :2] + 1},
            "gallery_old has 3 dimensions and gallery_new has 2; embed both with models of one space, or map one of "
            "them with an adapter first",
        ),
        (
            {"gallery_new": np.where(np.eye(3) > 0, np.nan, 1)},
            "gallery_new has 3 rows with NaN or infinite numbers, first at row 0; remove these rows or embed them "
            "again",
        ),
        (
            {"held_out": [False, False, True]},
            "held_out leaves 1 cluster without items, first 1; keep at least one item of each cluster for its centroid",
        ),
        (
            {"held_out": [0, 2, 1]},
            "held_out has shape (3,) and type int64; pass one flag (True or False) per item, shape (3,)",
        ),
        (
            {"held_out": [False, False, False]},
            "held_out holds no item out; flag the items to assign, or leave it out to assign all",
        ),
        (
            {"gallery_old": [[1.0, 0], [-1.0, 0], [0, 1.0]], "gallery_new": np.eye(2)[[0, 1, 1]]},
            "the vectors of 1 cluster cancel out, first those of 0; such a cluster has no direction: leave it out or "
            "pass metric='l2'",
        ),
        # before anything is assigned, by which the vectors of a cluster are seen to cancel out
        ({"seed": -1, "gallery_old": [[1.0, 0], [-1.0, 0], [0, 1.0]]}, "seed is -1; pass a whole number of at least 0"),
        (
            {"labels": [0, 1]},
            "the arrays differ in length: gallery_old has 3, gallery_new has 3, clusters has 3, labels has 2; pass one "
            "value per sample in the same order",
        ),
    ],
)
def test_mistakes(changed, sentence):
    with pytest.raises(InputError) as caught:
        cluster_study(**({"gallery_old": GOOD, "gallery_new": GOOD, "clusters": [0, 0, 1]} | changed))
    assert str(caught.value) == sentence


def test_vectors_of_another_dimension_than_the_centroids_are_refused():
    with pytest.raises(InputError, match="embeddings has 2 dimensions and the centroids has 3; embed both with"):
        assign(np.eye(2), centroids(GOOD, [0, 0, 1]))


def test_vectors_are_put_to_centroids_alone():
    with pytest.raises(InputError) as caught:
        assign(np.eye(2), np.eye(2))
    assert str(caught.value) == "known is a ndarray; pass what centroids(embeddings, clusters) returns"
