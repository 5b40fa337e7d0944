import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.kernel_ridge import KernelRidge as Reference

from segue.adapters import Ensemble, KernelAdjoint, KernelRidge, LocalMixture, Procrustes, Ridge, Slerp
from segue.adapters.kernel import coefficients, kernel, reach_of
from segue.errors import InputError
from tests.adapters.spaces import paired, to_unit


def refused(ask):
    with pytest.raises(InputError) as caught:
        ask()
    return str(caught.value)


def curved(rng, pairs=200):
    angle = rng.uniform(0, np.pi, pairs)
    return np.stack([np.cos(angle), np.sin(angle)], axis=1), np.stack([np.cos(3 * angle), np.sin(3 * angle)], axis=1)


@pytest.mark.parametrize("width", [0.3, 1.0])
@pytest.mark.parametrize("strength", [0.01, 1.0])
def test_it_agrees_with_scikit_learn(width, strength, rng):
    source, target = paired(rng)
    adapter = KernelRidge(width=width, strength=strength, unit=False).fit(source, target)
    reference = Reference(alpha=strength, kernel="rbf", gamma=1 / reach_of(source, width))
    expected = reference.fit(source, target - target.mean(axis=0)).predict(source[:9] + 0.1) + target.mean(axis=0)
    np.testing.assert_allclose(adapter.transform(source[:9] + 0.1), expected, atol=1e-4)


def test_a_curve_that_no_matrix_follows_is_followed(rng):
    source, target = curved(rng)
    queries, wanted = curved(rng, 50)
    kernels = KernelRidge(width=0.4, strength=1e-3).fit(source, target).transform(queries)
    line = Ridge(strength=0).fit(source, target).transform(queries)
    assert (kernels * wanted).sum(axis=1).min() > 0.99
    assert (line * wanted).sum(axis=1).min() < 0.9


@given(seed=st.integers(0, 99))
def test_with_hardly_a_penalty_it_is_exact_where_the_pairs_are(seed):
    rng = np.random.default_rng(seed)
    source, target = paired(rng, pairs=20, source=6)
    adapter = KernelRidge(width=0.3, strength=1e-6, unit=False).fit(source, target)
    np.testing.assert_allclose(adapter.transform(source), target, atol=1e-2)


def test_far_from_all_pairs_there_is_only_the_mean(rng):
    source, target = paired(rng)
    adapter = KernelRidge(unit=False).fit(source, target)
    np.testing.assert_allclose(adapter.transform(source + 1e3), np.tile(target.mean(axis=0), (60, 1)), atol=1e-5)


def test_a_width_means_the_same_in_a_space_of_any_spread(rng):
    source, target = paired(rng)
    one = KernelRidge(unit=False).fit(source, target).transform(source)
    other = KernelRidge(unit=False).fit(50 * source, target).transform(50 * source)
    np.testing.assert_allclose(one, other, atol=1e-3)


def test_landmarks_solve_the_least_squares_of_all_pairs(rng):
    source, target = (rows.astype(np.float32) for rows in paired(rng))
    centres, reach, strength = source[:10], reach_of(source, 0.5), 0.1
    found = coefficients(source, target.astype(np.float64), centres, reach, strength)

    def loss(weights):
        misses = kernel(source, centres, reach).astype(float) @ weights - target
        return np.square(misses).sum() + strength * np.sum(weights * (kernel(centres, centres, reach) @ weights))

    least = loss(found)
    for _ in range(20):
        assert loss(found + 0.01 * rng.normal(size=found.shape)) >= least


def test_landmarks_keep_most_of_what_all_pairs_know(rng):
    source, target = curved(rng, 300)
    queries, wanted = curved(rng, 50)
    for kind in (KernelRidge(landmarks=40, strength=1e-3), KernelAdjoint(landmarks=40)):
        adapter = kind.fit(source, target)
        assert adapter.get_params()["landmarks"] == len(next(iter(adapter._state().values())))
    few = KernelRidge(landmarks=40, strength=1e-3).fit(source, target)
    assert (few.transform(queries) * wanted).sum(axis=1).min() > 0.98


def test_equal_landmarks_do_no_harm(rng):
    source, target = (np.repeat(rows, 5, axis=0) for rows in paired(rng, pairs=12))
    assert np.isfinite(KernelRidge(landmarks=40).fit(source, target).transform(source)).all()


def test_the_adjoint_is_the_slope_of_the_kernel_maps_scores(rng):
    old = to_unit(rng.normal(size=(40, 3)))
    new = to_unit(np.tanh(2 * old @ rng.normal(size=(3, 4))))
    adapter = KernelAdjoint(width=0.7, anchor=0.0).fit(new, old)
    gallery_map = KernelRidge(width=0.7, strength=adapter.strength, unit=False).fit(old, new)
    query, place, reach = new[:1], old[3:4], float(gallery_map.reach[0])

    def score(at):
        # the kernel as a function of the inner product, as on the sphere
        say = np.exp(2 * (at @ old.T - 1) / reach)
        return float((say @ gallery_map.weights @ (query - new.mean(axis=0)).T)[0, 0])

    step = 1e-3
    slope = np.array([(score(place + step * axis) - score(place - step * axis)) / (2 * step) for axis in np.eye(3)])
    found = adapter._map_near(query.astype(np.float32), place.astype(np.float32))
    np.testing.assert_allclose(found[0], slope / np.linalg.norm(slope), atol=1e-3)


def test_all_anchor_is_procrustes(rng):
    new, old = paired(rng)
    np.testing.assert_allclose(
        KernelAdjoint(anchor=1.0).fit(new, old).transform(new), Procrustes().fit(new, old).transform(new), atol=1e-5
    )


def test_a_blend_uses_the_old_query_as_the_place(rng):
    old = to_unit(rng.normal(size=(80, 3)))
    new = to_unit(np.tanh(2 * old @ rng.normal(size=(3, 4))))
    adapter = Slerp(adapter=KernelAdjoint(), amount=1.0).fit(new, old)
    near = adapter.mapping._map_near(new.astype(np.float32), old.astype(np.float32))
    np.testing.assert_allclose(adapter.blend(new, old), to_unit(near), atol=1e-5)
    assert np.abs(adapter.blend(new, old) - adapter.transform(new)).max() > 1e-3


def test_an_ensemble_is_the_mean_direction_by_hand(rng):
    old, new = paired(rng)
    together = Ensemble(adapters=[Ridge(), LocalMixture(regions=2)]).fit(old, new)
    apart = [adapter.fit(old, new).transform(old) for adapter in (Ridge(), LocalMixture(regions=2))]
    np.testing.assert_allclose(together.transform(old), to_unit(apart[0] + apart[1]), atol=1e-5)


@pytest.mark.parametrize(
    ("make", "sentence"),
    [
        (lambda: KernelRidge(width=0), "width is 0; pass a finite number above 0"),
        (lambda: KernelRidge(strength=0), "strength is 0; pass a finite number above 0"),
        (lambda: KernelRidge(landmarks=1), "landmarks is 1; pass a whole number from 2 on"),
        (lambda: KernelAdjoint(anchor=2), "anchor is 2; pass a number from 0 to 1"),
        (
            lambda: Ensemble(adapters=[]),
            "adapters is no list of adapters; pass at least one, such as [Ridge(), KernelRidge()]",
        ),
        (lambda: Ensemble(adapters=["ridge"]), "adapters[0] is a str; pass an adapter such as Ridge()"),
        (
            lambda: Ensemble(adapters=[Ridge(), Ridge(unit=False)]),
            "adapters[1] has unit=False, but a mean of directions needs them; pass unit=True",
        ),
    ],
)
def test_parameters_that_make_no_sense_are_refused(make, sentence, rng):
    assert refused(lambda: make().fit(*paired(rng))) == sentence
