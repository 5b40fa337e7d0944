import subprocess
import sys

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from segue.adapters.map_loss import map_loss
from segue.adapters.residual_mlp import ResidualMLP
from segue.adapters.residual_network import ResidualNetwork
from segue.adapters.ridge import Ridge
from segue.errors import DivergedError
from tests.adapters.bent import bent, refused
from tests.adapters.spaces import paired, to_unit


def small(**settings):
    return ResidualMLP(**{"hidden": 32, "epochs": 15, "rate": 0.01, "batch_size": 64, **settings})


@pytest.mark.parametrize("cosine", [0.0, 0.7])
def test_the_loss_against_loops_in_doubles(cosine, rng):
    mapped, target, middle = rng.normal(size=(5, 3)), rng.normal(size=(5, 3)), rng.normal(size=3)
    total = 0.0
    for one, other in zip(mapped, target, strict=True):
        total += sum((a - b) ** 2 for a, b in zip(one, other, strict=True)) / 3 / 5
        left, right = one + middle, other + middle
        total += cosine * (1 - left @ right / np.sqrt(left @ left) / np.sqrt(right @ right)) / 5
    found = map_loss(*(torch.from_numpy(part) for part in (mapped, target, middle)), cosine)
    assert found.item() == pytest.approx(total, rel=1e-12)


@given(seed=st.integers(0, 99))
def test_the_folded_network_is_the_network(seed):
    torch.manual_seed(seed)
    network = ResidualNetwork(torch.randn(4, 3), hidden=6, dropout=0.5).double().eval()
    for parameter in network.parameters():
        torch.nn.init.normal_(parameter)
    found, rows = network.folded(), torch.randn(7, 4, dtype=torch.float64)
    hidden = (rows @ found["inward"] + found["inward_bias"]).relu()
    torch.testing.assert_close(
        rows @ found["matrix"] + hidden @ found["outward"] + found["outward_bias"],
        network(rows),
        rtol=1e-10,
        atol=1e-10,
    )


def test_where_training_does_not_help_it_is_the_ridge_map(rng):
    # a rotation without noise: ridge without a penalty knows all, and each step of a wild rate makes it worse
    source = rng.normal(size=(200, 4))
    target = source @ np.linalg.qr(rng.normal(size=(4, 4)))[0]
    adapter = small(strength=0, rate=0.5, epochs=5).fit(source, target)
    assert adapter.history.chosen == 0
    ridge = Ridge(strength=0).fit(source, target)
    np.testing.assert_allclose(adapter.transform(source), ridge.transform(source), atol=1e-6)


@pytest.mark.parametrize("settings", [{}, {"cosine": 1.0}, {"dropout": 0.0, "weight_decay": 0.0}])
def test_what_bends_is_mapped_better_than_by_ridge(settings, rng):
    source, target = bent(rng, pairs=600)
    fitted = small(unit=False, **settings).fit(source[:400], target[:400])
    ridge = Ridge(unit=False).fit(source[:400], target[:400])
    errors = [np.square(map_.transform(source[400:]) - target[400:]).mean() for map_ in (fitted, ridge)]
    assert errors[0] < 0.5 * errors[1]
    assert fitted.history.chosen > 0


def test_the_history_tells_the_start_and_the_best_epoch(rng):
    adapter = small(unit=False).fit(*bent(rng))
    held_out = [epoch.held_out for epoch in adapter.history.epochs]
    assert adapter.history.chosen == int(np.argmin(held_out))
    assert adapter.history.epochs[0].epoch == 0
    assert f"after epoch {adapter.history.chosen}, which was kept" in str(adapter.history)
    assert adapter.history.to_dict()["chosen"] == adapter.history.chosen


def test_the_same_seed_gives_the_same_map_and_leaves_chance_alone(rng):
    pairs = bent(rng)
    torch.manual_seed(3)
    expected = torch.rand(1)
    torch.manual_seed(3)
    one, same, other = (small(seed=seed, epochs=3).fit(*pairs).transform(pairs[0]) for seed in (0, 0, 1))
    assert torch.equal(torch.rand(1), expected)
    np.testing.assert_array_equal(one, same)
    assert np.abs(one - other).max() > 1e-4


@pytest.mark.parametrize("unit", [True, False])
def test_read_back_it_maps_bit_for_bit_the_same_without_torch(unit, rng, tmp_path):
    source, target = paired(rng)
    adapter = small(epochs=2, unit=unit).fit(source, target)
    adapter.save_pretrained(tmp_path / "map")
    np.save(tmp_path / "source.npy", source)
    np.save(tmp_path / "mapped.npy", adapter.transform(source))
    code = f"""
import sys, numpy as np
from segue.adapters.residual_mlp import ResidualMLP
adapter = ResidualMLP.from_pretrained({str(tmp_path / "map")!r})
mapped = adapter.transform(np.load({str(tmp_path / "source.npy")!r}))
print(np.array_equal(mapped, np.load({str(tmp_path / "mapped.npy")!r})), 'torch' in sys.modules)
"""
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert told.stdout.split() == ["True", "False"], told.stderr


def test_scales_of_both_spaces_do_not_matter(rng):
    source, target = bent(rng)
    plain = small(unit=False).fit(source, target).transform(source)
    scaled = small(unit=False).fit(source * 1024 + 5, target / 4096).transform(source * 1024 + 5)
    np.testing.assert_allclose(scaled * 4096, plain, rtol=0.02, atol=0.02)


def test_rows_come_out_of_length_one_in_32_bits(rng):
    source, target = paired(rng, source=7, target=3)
    mapped = small(epochs=2).fit(source, target).transform(source)
    assert (mapped.shape, mapped.dtype) == ((60, 3), np.float32)
    np.testing.assert_allclose(np.linalg.norm(mapped, axis=1), 1, rtol=1e-6)
    np.testing.assert_array_equal(mapped, small(epochs=2).fit(to_unit(source), target).transform(source))


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({"hidden": 0}, "hidden is 0; pass a whole number from 1 on"),
        ({"epochs": 2.5}, "epochs is 2.5; pass a whole number from 1 on"),
        ({"batch_size": 1}, "batch_size is 1; pass a whole number from 2 on"),
        ({"rate": 0}, "rate is 0; pass a finite number above 0"),
        ({"weight_decay": -1}, "weight_decay is -1; pass a finite number of 0 or more"),
        ({"held_out": 0}, "held_out is 0; pass a number between 0 and 1"),
        ({"held_out": 1.5}, "held_out is 1.5; pass a number from 0 to 1"),
        ({"dropout": 1}, "dropout is 1; pass a number between 0 and 1"),
        ({"device": "gpu"}, "device is 'gpu', which torch does not find here; pass 'cpu'"),
        ({"device": None}, "device is None, which torch does not find here; pass 'cpu'"),
    ],
)
def test_settings_that_make_no_sense_are_refused(settings, sentence, rng):
    assert refused(lambda: small(**settings).fit(*paired(rng))) == sentence


def test_a_handful_of_pairs_is_refused(rng):
    assert refused(lambda: small().fit(*paired(rng, pairs=9))) == (
        "source and target hold 9 pairs, and ResidualMLP is trained on at least 10 (and better on thousands); pass "
        "more, or use Ridge or Procrustes"
    )
    assert small(epochs=1).fit(*paired(rng, pairs=10)).pairs == 10


def test_a_training_that_diverges_is_told(rng):
    adapter = small(rate=1e20, unit=False)
    with pytest.raises(DivergedError) as error:
        adapter.fit(*bent(rng))
    assert str(error.value).startswith("the loss of ResidualMLP is ")
    assert str(error.value).endswith("; pass a smaller rate")
    assert not adapter.fitted


def test_nan_is_refused_and_says_where(rng):
    source, target = paired(rng)
    source[3, 1] = np.nan
    assert refused(lambda: small().fit(source, target)) == (
        "source has 1 row with NaN or infinite numbers, first at row 3; remove these rows or embed them again"
    )


def test_without_torch_the_extra_is_named():
    code = """
import sys
class Absent:
    def find_spec(self, name, path=None, target=None):
        if name.partition('.')[0] == 'torch':
            raise ModuleNotFoundError("No module named 'torch'", name='torch')
sys.meta_path.insert(0, Absent())
import numpy as np
from segue.adapters.residual_mlp import ResidualMLP
ResidualMLP().fit(np.eye(12), np.eye(12))
"""
    failed = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert "MissingExtraError: fitting a ResidualMLP needs 'torch'" in failed.stderr
    assert "pip install 'segue[train]'" in failed.stderr
