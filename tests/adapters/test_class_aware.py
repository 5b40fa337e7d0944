import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.base import clone
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis

from segue.adapters import Adapter, ClassAware, Ensemble, KernelAdjoint, Procrustes, Ridge, Slerp, fit_best
from segue.errors import InputError
from tests.adapters.spaces import to_unit


def blurred(rng, count=240, classes=4, dimension=12):
    """Pairs of clouds; the old model hides the classes behind large numbers that say nothing of them."""
    labels = np.arange(count) % classes
    loud = np.where(np.arange(dimension) < classes, 0.25, 0.6)
    new = to_unit(np.eye(classes, dimension)[labels] + loud * rng.normal(size=(count, dimension)))
    turn = np.linalg.qr(rng.normal(size=(dimension, dimension)))[0]
    old = to_unit((new + 0.12 * rng.normal(size=(count, dimension))) @ turn)
    return old.astype(np.float32), new.astype(np.float32), labels


def first_hits(queries, gallery, wanted, labels):
    return float((labels[(queries @ gallery.T).argmax(axis=1)] == wanted).mean())


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 1000), st.sampled_from([0.0, 0.1, 0.7]), st.sampled_from([0.3, 2.0]))
def test_it_is_the_map_and_the_classes_of_discriminant_analysis(seed, shrinkage, amount):
    source, target, labels = blurred(np.random.default_rng(seed))
    adapter = ClassAware(adapter=Ridge(), amount=amount, shrinkage=shrinkage).fit(source, target, labels=labels)
    rows = source.astype(np.float64)
    residuals = rows - np.stack([rows[labels == name].mean(axis=0) for name in range(4)])[labels]
    covariance = residuals.T @ residuals / len(rows)
    shrunk = (1 - shrinkage) * covariance + shrinkage * np.trace(covariance) / 12 * np.eye(12)
    oracle = LinearDiscriminantAnalysis(solver="lsqr", covariance_estimator=_Given(shrunk)).fit(rows, labels)
    means = np.stack([target[labels == name].mean(axis=0) for name in range(4)])
    drawn = Ridge().fit(source, target).transform(source) + amount * oracle.predict_proba(rows) @ (
        means - means.mean(0)
    )
    np.testing.assert_allclose(adapter.transform(source), to_unit(drawn), atol=1e-4)


class _Given:
    """A covariance that is known, for scikit-learn."""

    def __init__(self, covariance):
        self.covariance_ = covariance

    def fit(self, rows):
        return self


def test_a_gallery_that_the_map_blurs_is_told_apart_again():
    gained = []
    for seed in range(5):
        rng = np.random.default_rng(seed)
        old, new, labels = blurred(rng, 600)
        fit, stored, asked = np.split(np.arange(600), 3)
        plain = Procrustes().fit(old[fit], new[fit]).transform(old[stored])
        aware = ClassAware(adapter=Procrustes()).fit(old[fit], new[fit], labels=labels[fit]).transform(old[stored])
        both = [first_hits(new[asked], gallery, labels[asked], labels[stored]) for gallery in (plain, aware)]
        gained.append(both[1] - both[0])
    assert min(gained) > 0.02


def test_fit_best_tries_it_where_there_are_labels_and_not_elsewhere(rng):
    old, new, labels = blurred(rng)
    labelled = fit_best(old, new, side="gallery", labels=labels)
    assert any("ClassAware" in tried.adapter for tried in labelled.tried)
    assert isinstance(labelled.adapter, ClassAware)
    assert not any("ClassAware" in tried.adapter for tried in fit_best(old, new, side="gallery").tried)
    queries = fit_best(new, old, side="queries", labels=labels)
    assert any("ClassAware" in tried.adapter for tried in queries.tried)
    # labels that say nothing: the cross-validation does not choose it
    chance = fit_best(old, new, side="gallery", labels=rng.permutation(np.arange(240) % 40))
    assert not chance.recommended


def test_it_comes_back_from_disk_as_it_was(rng, tmp_path):
    old, new, labels = blurred(rng)
    for place, adapter in enumerate(
        (
            ClassAware(adapter=Ensemble(adapters=[Ridge(), Procrustes()]), amount=0.5),
            Slerp(adapter=ClassAware(adapter=KernelAdjoint())),
            Ensemble(adapters=[ClassAware(adapter=Ridge()), Procrustes()]),
        )
    ):
        fitted = adapter.fit_labelled(new, old, labels)
        fitted.save_pretrained(tmp_path / str(place))
        again = Adapter.from_pretrained(tmp_path / str(place))
        assert repr(again) == repr(adapter)
        np.testing.assert_array_equal(again.transform(new), fitted.transform(new))


def test_a_damaged_one_is_refused(rng, tmp_path):
    from safetensors.numpy import load_file, save_file

    old, new, labels = blurred(rng)
    ClassAware(adapter=Ridge()).fit(old, new, labels=labels).save_pretrained(tmp_path / "a")
    weights = tmp_path / "a" / "adapter.safetensors"
    whole = load_file(weights)
    for changed, reason in (
        ({name: array for name, array in whole.items() if name != "offsets"}, "it holds no offsets"),
        ({**whole, "more": whole["offsets"]}, "it holds more, which belongs to none of its parts"),
        ({**whole, "offsets": whole["offsets"][:2]}, r"offsets has shape \(2, 12\) in place of \(4, 12\)"),
        ({**whole, "thresholds": whole["thresholds"] * np.nan}, "thresholds holds something else than finite 32-bit"),
    ):
        save_file({name: np.ascontiguousarray(array) for name, array in changed.items()}, weights)
        with pytest.raises(InputError, match=rf"is damaged \({reason}"):
            Adapter.from_pretrained(tmp_path / "a")


def test_scikit_learn_reads_its_parameters():
    adapter = ClassAware(adapter=Ridge(strength=0.5), amount=2.0)
    assert clone(adapter).get_params()["adapter__strength"] == 0.5
    assert adapter.needs_labels
    assert Slerp(adapter=adapter).needs_labels
    assert not Slerp(adapter=Ridge()).needs_labels
    assert not Ensemble(adapters=[Ridge()]).needs_labels


def test_classes_of_one_pair_each_and_words_as_labels(rng):
    old, new, _ = blurred(rng, 30)
    adapter = ClassAware(adapter=Procrustes()).fit(old, new, labels=[f"item {row}" for row in range(30)])
    assert np.isfinite(adapter.transform(old)).all()
    assert "draws each result to the classes that it seems to be of. Fitted on 30 pairs" in adapter.describe()


@pytest.mark.parametrize(
    ("changes", "labels", "sentence"),
    [
        ({}, None, "ClassAware learns from labels; pass fit(source, target, labels=...), or fit_labelled() of a map"),
        ({}, [0] * 240, "labels "),
        ({}, [0, 1], "labels has 2 labels and source 240 rows; pass one label for each row, in the same order"),
        ({"amount": 0}, "given", "amount is 0; pass a finite number above 0"),
        ({"shrinkage": 1.5}, "given", "shrinkage is 1.5; pass a number from 0 to 1"),
        ({"adapter": "Ridge"}, "given", "adapter is a str; pass an adapter such as KernelRidge()"),
        ({"adapter": Ridge(unit=False)}, "given", "adapter has unit=False, but classes are added to directions"),
    ],
)
def test_mistakes(changes, labels, sentence, rng):
    old, new, truth = blurred(rng)
    with pytest.raises(InputError) as error:
        ClassAware(**{"adapter": Ridge(), **changes}).fit(old, new, labels=truth if labels == "given" else labels)
    assert str(error.value).startswith(sentence)


def test_maps_that_need_labels_are_refused_without_any(rng):
    old, new, _ = blurred(rng)
    with pytest.raises(InputError, match="adapters has maps that learn from labels; pass labels, the class of each"):
        fit_best(old, new, side="gallery", adapters=[ClassAware(adapter=Ridge())])
