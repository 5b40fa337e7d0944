import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from segue.compatible.embeddings import angle, common_part
from segue.errors import InputError
from tests.compatible import slow


@given(st.integers(0, 2**31), st.integers(1, 6), st.integers(1, 6))
def test_the_common_part_is_cut_or_filled_up_and_then_normalised(seed, d_new, d_old):
    new = torch.randn(3, d_new, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    expected = [slow.common(row, d_old) for row in new.tolist()]
    assert common_part(new, d_old).tolist() == expected
    units = torch.tensor([slow.unit(row) for row in expected], dtype=torch.float64)
    torch.testing.assert_close(common_part(new, d_old, normalise=True), units)


def test_lengths_are_taken_of_the_part_and_not_of_the_whole():
    assert common_part(torch.tensor([[3.0, 4.0, 100.0]]), 2, normalise=True).norm().item() == pytest.approx(1.0)


@pytest.mark.parametrize("degrees", [0, 1e-5, 45, 90, 179.99, 180])
def test_angles_are_right_and_their_derivative_is_finite(degrees):
    radians = math.radians(degrees)
    one = torch.tensor([[1.0, 0.0]], dtype=torch.float64, requires_grad=True)
    other = torch.tensor([[math.cos(radians), math.sin(radians)]], dtype=torch.float64)
    found = angle(one, other)
    assert found.item() == pytest.approx(radians, abs=1e-12)
    found.sum().backward()
    assert one.grad is not None
    assert one.grad.isfinite().all()


@pytest.mark.parametrize(
    ("given_", "sentence"),
    [
        ((torch.ones(2, 2), 0), "d_old is 0; pass a whole number of at least 1"),
        ((torch.ones(2), 2), "new have the shape (2,); pass (n, dimension)"),
        (([[1.0]], 2), "new is a list; pass a tensor of embeddings, (n, dimension)"),
    ],
)
def test_a_mistake_is_one_sentence(given_, sentence):
    with pytest.raises(InputError) as told:
        common_part(*given_)
    assert str(told.value) == sentence
