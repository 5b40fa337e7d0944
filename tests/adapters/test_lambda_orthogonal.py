import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy.linalg import expm

from segue.adapters.lambda_orthogonal import BackwardMap, LambdaOrthogonal, nearest_rotation
from segue.adapters.orthogonal_pair import OrthogonalPair, orthogonality_penalty, squared_distance
from segue.adapters.procrustes import Procrustes
from segue.adapters.residual_network import ResidualNetwork
from segue.adapters.ridge import Ridge
from tests.adapters.bent import refused
from tests.adapters.spaces import paired, rotation_matrix, to_unit


def small(**settings):
    return LambdaOrthogonal(**{"hidden": 16, "epochs": 5, "rate": 0.01, "batch_size": 64, **settings})


def test_the_penalty_by_hand():
    # W W^T - I = diag(3, 0): half of its norm counts at the threshold, all of it far above, nothing far below
    matrix = torch.diag(torch.tensor([2.0, 1.0], dtype=torch.float64))
    assert orthogonality_penalty(matrix, tolerance=3.0).item() == pytest.approx(1.5)
    assert orthogonality_penalty(matrix, tolerance=0.0).item() == pytest.approx(3)
    assert orthogonality_penalty(matrix, tolerance=9.0).item() == pytest.approx(0, abs=1e-9)


@given(seed=st.integers(0, 99), tolerance=st.floats(0, 5), sharpness=st.floats(0.1, 20))
def test_the_penalty_against_its_formula_in_doubles(seed, tolerance, sharpness):
    matrix = np.random.default_rng(seed).normal(size=(4, 4))
    apart = np.sqrt(np.square(matrix @ matrix.T - np.eye(4)).sum())
    expected = apart / (1 + np.exp(-sharpness * (apart - tolerance)))
    assert orthogonality_penalty(torch.from_numpy(matrix), tolerance, sharpness).item() == pytest.approx(expected)


def test_the_strict_basis_is_the_rotation_times_an_exponential(rng):
    turn = rotation_matrix(rng, 4)
    pair = OrthogonalPair(torch.from_numpy(turn), ResidualNetwork(torch.zeros(3, 4), 2, 0.0), strict=True)
    change = rng.normal(size=(4, 4))
    with torch.no_grad():
        pair.change.copy_(torch.from_numpy(change))
    basis = pair.basis.detach().numpy()
    np.testing.assert_allclose(basis, turn @ expm(change - change.T), atol=1e-10)
    np.testing.assert_allclose(basis @ basis.T, np.eye(4), atol=1e-10)


def test_squares_are_summed_over_the_dimensions_that_both_have():
    assert squared_distance(torch.tensor([[1.0, 2.0, 9.0], [0.0, 0.0, 9.0]]), torch.zeros(2, 2)).item() == 2.5


@given(seed=st.integers(0, 99), rank=st.integers(0, 4))
def test_the_nearest_rotation_is_one_whatever_the_rank(seed, rank):
    rng = np.random.default_rng(seed)
    turn = nearest_rotation(rng.normal(size=(4, rank)) @ rng.normal(size=(rank, 4)))
    np.testing.assert_allclose(turn @ turn.T, np.eye(4), atol=1e-10)


@pytest.mark.parametrize(("old", "new"), [(5, 5), (3, 6), (6, 3)])
@pytest.mark.parametrize("labelled", [True, False])
def test_a_strict_map_to_old_is_a_rotation_of_as_many_directions_as_there_are(old, new, labelled, rng):
    source, target = paired(rng, pairs=120, source=old, target=new)
    pair = small().fit(source, target, labels=np.arange(120) % 4 if labelled else None)
    matrix = pair.to_old.matrix.astype(np.float64)
    gram = matrix @ matrix.T if new <= old else matrix.T @ matrix
    np.testing.assert_allclose(gram, np.eye(min(old, new)), atol=1e-5)
    assert pair.to_old.transform(target).shape == (120, old)
    assert pair.to_new.transform(source).shape == (120, new)
    np.testing.assert_array_equal(pair.transform(source), pair.to_new.transform(source))


def test_before_any_training_it_is_procrustes_and_ridge(rng):
    source, target = paired(rng, pairs=80, source=4, target=4)
    pair = small(rate=1e-30, epochs=1).fit(source, target)
    expected = Procrustes().fit(target, source)
    np.testing.assert_allclose(pair.to_old.transform(target), expected.transform(target), atol=1e-5)
    plain = to_unit(source)
    np.testing.assert_allclose(pair.to_new.transform(plain), Ridge().fit(source, target).transform(plain), atol=1e-4)


def test_both_sides_meet_where_the_new_space_is_a_rotation(rng):
    new = rng.normal(size=(300, 5))
    old = new @ rotation_matrix(rng, 5)
    pair = small(strength=0, epochs=3).fit(old, new)
    np.testing.assert_allclose(pair.to_old.transform(new), to_unit(old), atol=1e-2)
    np.testing.assert_allclose(pair.to_new.transform(old), to_unit(new), atol=1e-1)


def noisy(rng, labels, classes=4):
    """Classes that the new model tells apart and the old one only in part."""
    centres = rng.normal(size=(classes, 6))
    new = centres[labels] + 0.2 * rng.normal(size=(len(labels), 6))
    return new @ rng.normal(size=(6, 4)) + 1.5 * rng.normal(size=(len(labels), 4)), new


def supervised(ours, theirs, labels, temperature):
    """SupCon (Khosla et al., NeurIPS 2020, equation 2) in loops: positives are all of one's class on the other side."""
    one, other = to_unit(ours), to_unit(theirs)
    total = 0.0
    for anchor, label in zip(one, labels, strict=True):
        scores = other @ anchor / temperature
        weight = np.log(np.exp(scores).sum())
        total += np.mean([weight - score for score, its in zip(scores, labels, strict=True) if its == label])
    return total / len(one)


@pytest.mark.parametrize("new", [3, 6])
def test_the_contrastive_terms_against_loops_in_doubles(new, rng):
    old, mapped, turned = rng.normal(size=(8, 4)), *rng.normal(size=(2, 8, max(4, new)))
    labels, rows, middle = rng.integers(0, 3, 20), np.arange(12, 20), rng.normal(size=(1, max(4, new)))
    everything = np.concatenate([rng.normal(size=(12, 4)), old])
    pair = LambdaOrthogonal(temperature=0.2)
    pair._labels = labels
    contrast = pair._contrast(torch.from_numpy(everything), torch.from_numpy(middle))
    found = contrast(torch.from_numpy(mapped), torch.from_numpy(turned), torch.from_numpy(rows))
    ours = mapped + middle
    expected = supervised(ours, turned + middle, labels[rows], 0.2) + supervised(ours[:, :4], old, labels[rows], 0.2)
    assert found.item() == pytest.approx(expected, rel=1e-6)


def test_labels_bring_the_classes_of_unseen_items_together(rng):
    labels = rng.integers(0, 4, 600)
    old, new = noisy(rng, labels)
    seen, unseen = slice(400), slice(400, 600)
    plain = small(epochs=30, rate=1e-3).fit(old[seen], new[seen])
    taught = small(epochs=30, rate=1e-3).fit(old[seen], new[seen], labels=labels[seen])
    assert taught.history.chosen > 0
    losses = [
        supervised(pair.to_new.transform(old[unseen]), new[unseen], labels[unseen], 0.1) for pair in (taught, plain)
    ]
    assert losses[0] < losses[1]


def test_names_of_classes_do_not_matter(rng):
    labels = rng.integers(0, 4, 100)
    old, new = noisy(rng, labels)
    one, other = (
        small(epochs=2).fit(old, new, labels=told).transform(old)
        for told in (labels, np.array(["a", "b", "c", "d"])[labels])
    )
    np.testing.assert_array_equal(one, other)


def test_a_tolerance_lets_it_bend_and_keeps_it_near(rng):
    source, target = paired(rng, pairs=300, source=4, target=4, noise=1)

    def bent(tolerance):
        matrix = small(tolerance=tolerance, epochs=30).fit(source, target).to_old.matrix.astype(np.float64)
        return np.linalg.norm(matrix @ matrix.T - np.eye(4))

    assert bent(None) < 1e-5 < bent(0.5) < 0.75
    assert bent(0.5) < bent(1.5)


def test_the_same_seed_gives_the_same_maps(rng):
    source, target = paired(rng, pairs=300, noise=1)
    one, same, other = (small(seed=seed, tolerance=1.0).fit(source, target).transform(source) for seed in (0, 0, 1))
    np.testing.assert_array_equal(one, same)
    assert np.abs(one - other).max() > 1e-5


@pytest.mark.parametrize("settings", [{}, {"tolerance": 1.0, "unit": False}])
def test_read_back_both_maps_are_bit_for_bit_the_same(settings, rng, tmp_path):
    source, target = paired(rng)
    pair = small(epochs=2, **settings).fit(source, target)
    pair.save_pretrained(tmp_path / "pair")
    again = LambdaOrthogonal.from_pretrained(tmp_path / "pair")
    np.testing.assert_array_equal(again.transform(source), pair.transform(source))
    np.testing.assert_array_equal(again.to_old.transform(target), pair.to_old.transform(target))
    assert again.describe() == pair.describe()


def test_each_map_may_be_kept_by_itself(rng, tmp_path):
    source, target = paired(rng)
    pair = small(epochs=1).fit(source, target)
    pair.to_old.save_pretrained(tmp_path)
    read = BackwardMap.from_pretrained(tmp_path)
    np.testing.assert_array_equal(read.transform(target), pair.to_old.transform(target))
    assert read.describe() == (
        "Turns new vectors into the old space (lambda-orthogonality). Fitted on 60 pairs, from 4 dimensions to 5."
    )


def test_mistakes_are_named(rng):
    source, target = paired(rng)
    assert refused(lambda: small().fit(source, target, labels=[0, 1])) == (
        "source has 60 rows and labels has 2; pass one class per pair"
    )
    assert refused(lambda: small().fit(source, target, labels=[None] * 60)) == (
        "labels has 60 missing values (None or NaN), first at position 0; remove these samples from all arrays or give "
        "them a value"
    )
    assert refused(lambda: small(tolerance=-1).fit(source, target)) == (
        "tolerance is -1; pass a finite number of 0 or more"
    )
    assert refused(lambda: small(temperature=0).fit(source, target)) == "temperature is 0; pass a finite number above 0"
    assert refused(lambda: small().fit(source[:5], target[:5])).startswith(
        "source and target hold 5 pairs, and LambdaOrthogonal is trained on at least 10"
    )
    assert refused(lambda: BackwardMap().fit(source, target)) == (
        "a BackwardMap is one of two maps; fit both with LambdaOrthogonal().fit(old, new)"
    )
    assert refused(lambda: small().transform(source)).startswith("this LambdaOrthogonal is not fitted; ")
    target[0, 0] = np.nan
    assert refused(lambda: small().fit(source, target)).startswith("target has 1 row with NaN or infinite numbers")
