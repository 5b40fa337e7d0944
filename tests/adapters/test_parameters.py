import pytest
from sklearn.base import clone

from segue.adapters import LowRankAffine, Procrustes, Ridge, Slerp
from segue.errors import InputError


def test_parameters_are_read_and_changed_by_name():
    adapter = LowRankAffine(rank=3)
    assert adapter.get_params() == {"rank": 3, "strength": 0.1, "center": True, "unit": True}
    assert adapter.set_params(rank=5, center=False) is adapter
    assert adapter.get_params(deep=False) == {"rank": 5, "strength": 0.1, "center": False, "unit": True}


def test_those_of_a_wrapped_adapter_are_reached_by_two_underscores():
    adapter = Slerp(adapter=Ridge(strength=2), amount=0.3)
    assert adapter.get_params()["adapter__strength"] == 2
    assert "adapter__strength" not in adapter.get_params(deep=False)
    adapter.set_params(adapter__strength=4)
    assert repr(adapter) == "Slerp(adapter=Ridge(strength=4, center=True, unit=True), amount=0.3)"


def test_a_wrapped_adapter_and_its_parameter_may_change_together():
    adapter = Slerp(adapter=Procrustes()).set_params(adapter__strength=7, adapter=Ridge())
    assert adapter.adapter.strength == 7


@pytest.mark.parametrize("copied", [clone, lambda adapter: adapter.unfitted()])
def test_a_copy_shares_nothing_that_can_change(copied):
    adapter = Slerp(adapter=Ridge(strength=2))
    copied(adapter).set_params(adapter__strength=9)
    assert adapter.adapter.strength == 2


@pytest.mark.parametrize(
    ("adapter", "params", "sentence"),
    [
        (Ridge(), {"strenght": 1}, "Ridge has no parameter 'strenght'; it has strength, center, unit"),
        (
            Slerp(adapter=Ridge()),
            {"adapter__rank": 1},
            "Slerp has no parameter 'adapter__rank'; it has adapter, amount",
        ),
    ],
)
def test_an_unknown_parameter_is_refused_before_any_is_changed(adapter, params, sentence):
    before = repr(adapter)
    with pytest.raises(InputError) as error:
        adapter.set_params(**params, unit=False) if isinstance(adapter, Ridge) else adapter.set_params(**params)
    assert str(error.value) == sentence
    assert repr(adapter) == before
