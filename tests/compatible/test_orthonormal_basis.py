import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.nn import functional

from segue.compatible.heads import FrozenHead
from segue.compatible.losses import BasisTransformation
from segue.compatible.orthonormal_basis import OrthonormalBasis
from segue.errors import InputError


def basis(new_dimension=6, old_dimension=4, extra=2, width=9, **settings_):
    torch.manual_seed(0)
    return OrthonormalBasis(width, new_dimension, old_dimension, extra=extra, **settings_).double()


@settings(max_examples=15)
@given(st.integers(0, 2**31), st.integers(1, 7), st.integers(1, 7), st.data())
def test_nothing_of_the_feature_is_lost(seed, new_dimension, old_dimension, data):
    extra = data.draw(st.integers(max(1, old_dimension - new_dimension), old_dimension))
    layer = basis(new_dimension, old_dimension, extra, width=new_dimension + 2)
    outputs = torch.randn(5, new_dimension + 2, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    embeddings = layer(outputs)
    assert embeddings.shape == (5, layer.dimension) == (5, new_dimension + extra)
    # torch keeps the turn in the precision in which it was made, which is 32 bits here
    expected = functional.normalize(outputs[:, :new_dimension])
    torch.testing.assert_close(layer.features(embeddings), expected, rtol=0, atol=1e-5)


def test_the_blocks_are_arranged_as_in_the_formula():
    layer = basis(scale=3.0)
    outputs = torch.randn(5, 9, dtype=torch.float64)
    p, q = layer.turn_new.weight, layer.turn_old.weight
    guess = functional.normalize(layer.towards_old(outputs.relu())[:, :2])
    u = torch.cat([guess, 3 * functional.normalize(outputs[:, :6]) @ p.T], dim=1)
    torch.testing.assert_close(layer(outputs), torch.cat([u[:, :4] @ q.T, u[:, 4:]], dim=1))


def test_training_turns_and_never_stretches():
    layer = basis()
    outputs, old = torch.randn(8, 9, dtype=torch.float64), torch.randn(8, 4, dtype=torch.float64)
    loss = BasisTransformation(FrozenHead(torch.randn(3, 4)), (0.0, 10.0, 5.0))
    step = torch.optim.Adam(layer.parameters(), lr=0.05)
    labels = torch.arange(8) % 3
    values = []
    for _ in range(40):
        step.zero_grad()
        value = loss(layer(outputs), old, labels)
        value.backward()
        step.step()
        values.append(value.item())
    assert values[-1] < 0.7 * values[0]
    for matrix in (layer.turn_new.weight, layer.turn_old.weight):
        torch.testing.assert_close(matrix @ matrix.T, torch.eye(len(matrix), dtype=torch.float64), rtol=0, atol=1e-5)


def test_no_tensor_of_it_is_a_view_that_files_would_refuse_or_share():
    layer = OrthonormalBasis(9, 6, 4, extra=2)
    assert all(tensor.is_contiguous() for tensor in layer.state_dict().values())
    assert len({tensor.data_ptr() for tensor in layer.state_dict().values()}) == len(layer.state_dict())


def test_it_is_saved_and_loaded():
    first, second = basis(), OrthonormalBasis(9, 6, 4, extra=2).double()
    second.load_state_dict(first.state_dict())
    outputs = torch.randn(3, 9, dtype=torch.float64)
    torch.testing.assert_close(second(outputs), first(outputs))


@pytest.mark.parametrize(
    ("given_", "sentence"),
    [
        ({"extra": 5}, "extra is 5, but the old embedding has only 4 dimensions; pass fewer"),
        (
            {"new_dimension": 2, "extra": 1},
            "new_dimension and extra make 3 dimensions, fewer than the old 4; pass more of either",
        ),
        ({"width": 3}, "width is 3; pass a whole number of at least 6"),
        ({"extra": 0}, "extra is 0; pass a whole number of at least 1"),
        ({"scale": 0.0}, "scale is 0.0; pass a finite number above 0"),
    ],
)
def test_sizes_that_do_not_fit_are_one_sentence(given_, sentence):
    with pytest.raises(InputError) as told:
        basis(**given_)
    assert str(told.value) == sentence


def test_outputs_of_another_width_are_one_sentence():
    with pytest.raises(InputError, match=r"outputs have 5 dimensions; pass \(n, 9\)"):
        basis()(torch.zeros(2, 5, dtype=torch.float64))
    with pytest.raises(InputError, match=r"embeddings have 5 dimensions; pass \(n, 8\)"):
        basis().features(torch.zeros(2, 5, dtype=torch.float64))
