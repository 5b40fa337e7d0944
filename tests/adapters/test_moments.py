import numpy as np
import pytest

from segue.adapters import moments as moments_module
from segue.adapters.moments import moments


@pytest.mark.parametrize("block", [3, 1 << 20])
def test_centred_moments_are_numpys_covariances(block, rng, monkeypatch):
    monkeypatch.setattr(moments_module, "SLAB", block)
    source, target = rng.normal(3, 1, size=(50, 3)), rng.normal(-5, 1, size=(50, 2))
    found = moments(source, target, center=True)
    both = np.cov(source.T, target.T, bias=True)
    np.testing.assert_allclose(found.covariance, both[:3, :3])
    np.testing.assert_allclose(found.cross, both[:3, 3:])
    np.testing.assert_allclose(found.source_mean, source.mean(axis=0))
    np.testing.assert_allclose(found.target_mean, target.mean(axis=0))
    assert found.pairs == 50


def test_moments_around_the_origin_by_hand():
    found = moments(np.array([[1.0, 2.0], [3.0, 0.0]]), np.array([[1.0], [2.0]]), center=False)
    assert found.covariance.tolist() == [[5.0, 1.0], [1.0, 2.0]]
    assert found.cross.tolist() == [[3.5], [1.0]]
    assert found.source_mean.tolist() == [0.0, 0.0]


def test_32_bit_rows_far_from_the_origin_are_summed_in_doubles(rng):
    source = rng.normal(1000, 1, size=(4000, 2)).astype(np.float32)
    found = moments(source, source, center=True)
    np.testing.assert_allclose(found.covariance, np.cov(source.astype(np.float64).T, bias=True), rtol=1e-12)
