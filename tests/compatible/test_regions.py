import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from segue.compatible.regions import class_regions
from segue.errors import InputError


def fan(*degrees):
    return [[3 * math.cos(math.radians(a)), 3 * math.sin(math.radians(a))] for a in degrees]


def test_worked_by_hand():
    # class 2 lies at 10 and 50 degrees, class 9 at 100 degrees alone
    regions = class_regions(fan(10, 100, 50), [2, 9, 2])
    assert regions.classes.tolist() == [2, 9]
    assert np.allclose(regions.centres, [[math.cos(math.pi / 6), 0.5], [math.cos(math.radians(100)), 0.98480775]])
    assert regions.radii.tolist() == pytest.approx([math.radians(20), 0.0], abs=1e-6)
    assert regions.chords.tolist() == pytest.approx([2 * math.sin(math.radians(10)), 0.0], abs=1e-6)
    assert str(regions) == ("2 classes of old embeddings in 2 dimensions, reaching 0 to 20 degrees from their centres")
    assert regions.to_dict()["classes"] == [2, 9]


@given(st.integers(0, 2**31), st.sampled_from([0.2, 0.5, 0.9, 1.0]))
def test_a_radius_holds_its_share_and_no_more(seed, share):
    draws = np.random.default_rng(seed)
    stored, labels = draws.normal(size=(60, 4)), draws.integers(0, 3, 60)
    regions = class_regions(stored, labels, share=share)
    units = stored / np.linalg.norm(stored, axis=1, keepdims=True)
    for row, label in enumerate(regions.classes.tolist()):
        cosines = units[labels == label] @ regions.centres[row].double().numpy()
        within = np.arccos(np.clip(cosines, -1, 1)) <= float(regions.radii[row]) + 1e-5
        assert within.sum() == math.ceil(share * len(within))


def test_a_class_of_one_vector_has_no_extent():
    # not even that of rounding: a boundary of 1e-9 radians would be one
    regions = class_regions(np.random.default_rng(0).normal(size=(50, 7)), np.arange(50))
    assert (regions.radii == 0).all()


@pytest.mark.parametrize("share", [0, 1.1, None])
def test_a_share_out_of_its_range_is_one_sentence(share):
    with pytest.raises(InputError) as told:
        class_regions(fan(1, 2), [0, 0], share=share)
    assert str(told.value) == f"share is {share!r}; pass a number above 0 and up to 1"
