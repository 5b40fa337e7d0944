import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from segue.compatible.losses import mix_embeddings, near_class_mean
from segue.errors import InputError
from tests.compatible.losses.cases import batch


@given(st.integers(0, 2**31), st.integers(0, 12), st.floats(0, 1), st.sampled_from([2, 4, 6]))
def test_a_share_of_the_rows_is_old_and_the_rest_new(seed, n, share, d_new):
    new, old, _ = batch(seed, n, d_new)
    embeddings, replaced = mix_embeddings(new, old, share, generator=torch.Generator().manual_seed(seed))
    assert int(replaced.sum()) == math.floor(round(share * n, 9))
    assert embeddings.shape == (n, max(d_new, 4))
    for row in range(n):
        source = old[row] if replaced[row] else new[row]
        expected = torch.zeros(embeddings.shape[1], dtype=torch.float64)
        expected[: len(source)] = source / source.norm()
        torch.testing.assert_close(embeddings[row], expected)


def test_the_draw_is_its_generators_and_differs_from_step_to_step():
    new, old, _ = batch(0)
    draws = torch.Generator().manual_seed(1)
    first, second = (mix_embeddings(new, old, 0.5, generator=draws).replaced for _ in range(2))
    again = mix_embeddings(new, old, 0.5, generator=torch.Generator().manual_seed(1)).replaced
    assert torch.equal(first, again)
    assert not torch.equal(first, second)


def test_only_credible_rows_are_used_even_if_they_are_few():
    new, old, _ = batch(1)
    credible = torch.zeros(12, dtype=torch.bool)
    credible[[2, 5, 7]] = True
    assert torch.equal(mix_embeddings(new, old, 0.5, credible=credible).replaced, credible)
    few = mix_embeddings(new, old, 0.17, credible=credible).replaced
    assert int(few.sum()) == 2
    assert (few <= credible).all()


def test_gradients_flow_into_the_new_rows_alone():
    new, old, _ = batch(2)
    new.requires_grad_()
    old.requires_grad_()
    embeddings, replaced = mix_embeddings(new, old, 0.5)
    (embeddings**3).sum().backward()
    assert old.grad is None
    assert new.grad is not None
    assert torch.equal(new.grad.abs().sum(dim=1) > 0, ~replaced)


def test_half_precision_is_read_as_32_bits():
    new, old, _ = batch(3, dtype=torch.bfloat16)
    assert mix_embeddings(new, old.double(), 0.5).embeddings.dtype == torch.float32


def test_the_farthest_of_each_class_is_an_outlier():
    vectors = torch.tensor([[1.0, 0.0], [1.0, 0.1], [1.0, -0.1], [-1.0, 0.2], [0.0, 1.0]])
    assert near_class_mean(vectors, [0, 0, 0, 0, 1], share=0.7).tolist() == [True, True, True, False, True]
    assert near_class_mean(vectors, [0, 0, 0, 0, 1], share=0.5).sum() == 3


@given(st.integers(0, 2**31), st.floats(0.01, 1))
def test_each_class_keeps_its_share(seed, share):
    _, old, labels = batch(seed, n=30)
    kept = near_class_mean(old, labels, share)
    for label in labels.unique():
        of_class = labels == label
        assert int(kept[of_class].sum()) == math.ceil(round(share * int(of_class.sum()), 9))


@pytest.mark.parametrize(
    ("given_", "settings", "sentence"),
    [
        (
            (torch.ones(2, 2), torch.ones(3, 2)),
            {},
            "new have 2 rows and old 3; pass both models' embeddings",
        ),
        ((torch.ones(2, 2), torch.ones(2, 2)), {"share": 1.5}, "share is 1.5; pass a number from 0 to 1"),
        ((torch.ones(2, 2), torch.ones(2, 2)), {"credible": [True, True]}, "credible holds no booleans; pass one per"),
        (
            (torch.ones(2, 2), torch.ones(2, 2)),
            {"credible": torch.tensor([True])},
            "credible has the shape (1,); pass one boolean per row of old, (n,)",
        ),
    ],
)
def test_a_mistake_is_one_sentence(given_, settings, sentence):
    with pytest.raises(InputError) as told:
        mix_embeddings(*given_, **settings)
    assert str(told.value).startswith(sentence)
