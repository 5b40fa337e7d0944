import numpy as np
import pytest
import torch

from segue.adapters.base import Adapter
from segue.adapters.fct import FCT
from segue.adapters.fct_layers import applied, layer_sizes, shapes
from segue.adapters.fct_network import TransformationNetwork
from tests.adapters.bent import bent, refused


def small(**settings):
    return FCT(**{"width": 24, "epochs": 20, "rate": 0.01, "batch_size": 64, **settings})


@pytest.fixture
def told(rng):
    """Old vectors that miss a part of the new ones, which the side information has."""
    new = rng.normal(size=(400, 4)).astype(np.float32)
    return new[:, :3] @ rng.normal(size=(3, 3)).astype(np.float32), new, new[:, 3:] * 2


def test_layers_are_those_of_the_paper():
    assert layer_sizes(128, 64, 100, 2048) == {
        "source_1": (128, 256),
        "source_2": (256, 256),
        "side_1": (64, 128),
        "side_2": (128, 128),
        "mixed_1": (384, 2048),
        "mixed_2": (2048, 2048),
        "mapped": (2048, 100),
    }


@pytest.mark.parametrize("side", [0, 2])
def test_the_folded_layers_in_numpy_are_the_network(side):
    torch.manual_seed(1)
    network = TransformationNetwork(3, side, 4, 8, doubtful=True).double()
    rows, beside = torch.randn(30, 3, dtype=torch.float64), torch.randn(30, 2, dtype=torch.float64) if side else None
    for _ in range(5):
        network(rows * 3 + 1, beside)  # statistics other than those at the start
    network.eval()
    layers = {name: tensor.detach().numpy() for name, tensor in network.folded().items()}
    expected, doubt = network(rows, beside)
    found = applied(layers, rows.numpy(), None if beside is None else beside.numpy())
    np.testing.assert_allclose(found, expected.detach().numpy(), rtol=1e-9, atol=1e-10)
    np.testing.assert_allclose(
        found @ layers["doubt.weight"][:, 0] + layers["doubt.bias"], doubt.detach().numpy(), atol=1e-10
    )
    assert {name: array.shape for name, array in layers.items() if "doubt" not in name} == shapes(
        layer_sizes(3, side, 4, 8)
    )


def test_batch_statistics_stand_still_in_the_second_half(rng, monkeypatch):
    seen = []
    step = TransformationNetwork.forward

    def watched(self, source, side=None):
        seen.append(self.blocks["source_1"][1].training)
        return step(self, source, side)

    monkeypatch.setattr(TransformationNetwork, "forward", watched)
    small(epochs=5, batch_size=400).fit(*bent(rng))
    assert seen == [True, True, False, False, False]


def test_side_information_brings_what_the_old_model_misses(told):
    old, new, side = told
    blind = small(unit=False).fit(old[:300], new[:300])
    seeing = small(unit=False).fit(old[:300], new[:300], side=side[:300])
    errors = [
        np.square(found - new[300:]).mean()
        for found in (blind.transform(old[300:]), seeing.transform(old[300:], side=side[300:]))
    ]
    assert errors[1] < 0.5 * errors[0]
    assert (blind.side_dimension, seeing.side_dimension) == (0, 1)


def test_the_same_seed_gives_the_same_map(told):
    old, new, side = told
    one, same, other = (small(seed=seed, epochs=3).fit(old, new, side=side) for seed in (0, 0, 1))
    np.testing.assert_array_equal(one.transform(old, side=side), same.transform(old, side=side))
    assert np.abs(one.transform(old, side=side) - other.transform(old, side=side)).max() > 1e-3


@pytest.mark.parametrize("with_side", [True, False])
def test_read_back_it_maps_bit_for_bit_the_same(with_side, told, tmp_path):
    old, new, side = told
    beside = {"side": side} if with_side else {}
    adapter = small(epochs=2).fit(old, new, **beside)
    adapter.save_pretrained(tmp_path)
    again = FCT.from_pretrained(tmp_path)
    np.testing.assert_array_equal(again.transform(old, **beside), adapter.transform(old, **beside))
    assert again.side_dimension == adapter.side_dimension


def test_a_gallery_of_several_blocks_and_its_side_stay_in_step(told, monkeypatch, tmp_path):
    import segue.adapters.fct as module

    old, new, side = told
    adapter = small(epochs=2).fit(old, new, side=side)
    at_once = adapter.transform(old, side=side)
    monkeypatch.setattr(module, "SLAB", 7 * 24)
    out = np.memmap(tmp_path / "new", dtype=np.float32, mode="w+", shape=new.shape)
    assert adapter.transform(old, side=side, out=out) is out
    np.testing.assert_allclose(out, at_once, atol=1e-6)


def test_fitting_again_without_side_forgets_it(told):
    old, new, side = told
    adapter = small(epochs=2).fit(old, new, side=side).fit(old, new)
    assert adapter.side_dimension == 0
    np.testing.assert_array_equal(adapter.transform(old), small(epochs=2).fit(old, new).transform(old))


def test_lengths_of_both_spaces_do_not_matter(told):
    old, new, _ = told
    plain = small(unit=False, epochs=4).fit(old, new).transform(old)
    scaled = small(unit=False, epochs=4).fit(old * 1024, new / 4096).transform(old * 1024)
    np.testing.assert_allclose(scaled * 4096, plain, rtol=1e-3, atol=1e-3)


def test_a_last_batch_of_one_pair_does_not_occur(rng):
    assert small(epochs=1, batch_size=10, unit=False).fit(*bent(rng, pairs=41)).pairs == 41


def test_it_says_what_it_does(told):
    old, new, side = told
    adapter = small(epochs=1).fit(old, new, side=side)
    assert adapter.describe() == (
        "Predicts the target's vector by a network over the source's and side information (FCT). Fitted on 400 pairs, "
        "from 3 dimensions to 4."
    )


def test_side_information_that_is_missing_or_not_known_is_named(told):
    old, new, side = told
    seeing, blind = small(epochs=1).fit(old, new, side=side), small(epochs=1).fit(old, new)
    assert refused(lambda: seeing.transform(old)) == (
        "this FCT was fitted with side information of 1 dimension; pass side=, one row for each row of source"
    )
    assert refused(lambda: blind.transform(old, side=side)) == (
        "this FCT was fitted without side information; leave side out, or fit it with side="
    )
    assert refused(lambda: seeing.transform(old, side=np.ones((400, 2)))) == (
        "side has 2 dimensions, but this FCT was fitted with 1; pass the side information it was fitted on"
    )
    assert refused(lambda: seeing.transform(old, side=side[1:])) == (
        "source has 400 rows and side has 399; pass the same items in the same order, row i of both being item i"
    )
    assert refused(lambda: small().fit(old, new, side=side[1:])) == (
        "source has 400 rows and side has 399; pass the same items in the same order, row i of both being item i"
    )


def test_other_mistakes_are_named(told):
    old, new, side = told
    adapter = small(epochs=1)
    assert refused(lambda: adapter.transform(old)).startswith("this FCT is not fitted; ")
    adapter.fit(old, new)
    assert refused(lambda: adapter.transform(new)) == (
        "source has 4 dimensions, but this FCT was fitted on vectors of 3; pass vectors of the model it was fitted on"
    )
    worse = side.copy()
    worse[5] = np.inf
    assert refused(lambda: small().fit(old, new, side=worse)) == (
        "side has 1 row with NaN or infinite numbers, first at row 5; remove these rows or embed them again"
    )
    assert refused(lambda: small(width=0).fit(old, new)) == "width is 0; pass a whole number from 1 on"
    assert refused(lambda: small().fit(old[:9], new[:9])).startswith("source and target hold 9 pairs, and FCT is ")


def test_what_is_damaged_on_disk_is_named(told, tmp_path):
    from safetensors.numpy import load_file, save_file

    old, new, side = told
    small(epochs=1).fit(old, new, side=side).save_pretrained(tmp_path)
    arrays = load_file(tmp_path / "adapter.safetensors")
    del arrays["side_mean"]
    save_file(arrays, tmp_path / "adapter.safetensors")
    assert refused(lambda: FCT.from_pretrained(tmp_path)).startswith(f"the adapter in '{tmp_path}' is damaged (")


def test_it_is_an_adapter(told):
    old, new, _ = told
    assert isinstance(small().unfitted().fit(old, new), Adapter)
