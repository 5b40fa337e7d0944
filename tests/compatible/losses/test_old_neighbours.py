import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from segue.compatible.losses import OldNeighbours
from segue.errors import InputError
from tests.compatible import slow


def test_two_stored_vectors_by_hand():
    loss = OldNeighbours([[1.0, 0.0], [0.0, 1.0]], [0, 1], temperature=1.0, ranking=2.0)
    # cosines 1 and 0: the probability of the right one is e / (e + 1), and it is the only one of its class
    value = loss(torch.tensor([[5.0, 0.0, 7.0]]), labels=torch.tensor([0]))
    assert value.item() == pytest.approx(3 * math.log(1 + math.exp(-1)), rel=1e-6)


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 10_000), st.sampled_from([0.0, 0.7]), st.integers(2, 5))
def test_it_is_the_formula(seed, ranking, dimension):
    chance = torch.Generator().manual_seed(seed)
    stored = torch.randn(9, 2, generator=chance, dtype=torch.float64)
    new = torch.randn(4, dimension, generator=chance, dtype=torch.float64)
    classes, labels = torch.randint(3, (9,), generator=chance), torch.randint(4, (4,), generator=chance)
    own = torch.tensor([0, -1, 5, -1])
    before = torch.get_default_dtype()
    torch.set_default_dtype(torch.float64)
    try:
        loss = OldNeighbours(stored, classes, temperature=0.5, ranking=ranking, reduction="none")
        found = loss(new, labels=labels, own=own)
    finally:
        torch.set_default_dtype(before)
    vectors, names = stored.tolist(), classes.tolist()
    wanted = slow.old_neighbours(new.tolist(), None, labels.tolist(), vectors, names, 0.5, ranking, own.tolist())
    assert found.tolist() == pytest.approx([value or 0.0 for value in wanted], abs=1e-9)


def test_a_query_does_not_find_itself():
    stored = torch.eye(2)
    loss = OldNeighbours(stored, [0, 1], temperature=0.1, reduction="none")
    new, labels = torch.eye(2)[:1], torch.tensor([0])
    assert loss(new, labels=labels).item() < 1e-3
    # without its own vector there is none of its class left
    assert loss(new, labels=labels, own=torch.tensor([0])).tolist() == [0.0]


def test_samples_of_classes_without_a_vector_do_not_count_and_have_no_gradient():
    loss = OldNeighbours(torch.eye(2), [0, 1], ranking=1.0)
    new = torch.tensor([[1.0, 0.5], [1.0, 2.0]], requires_grad=True)
    loss(new, labels=torch.tensor([0, 7])).backward()
    assert new.grad is not None
    assert new.grad[0].abs().sum() > 0
    assert new.grad[1].tolist() == [0.0, 0.0]


def test_its_descent_brings_the_first_hit_to_the_own_class():
    chance = torch.Generator().manual_seed(0)
    stored = torch.randn(60, 3, generator=chance)
    classes = (stored[:, 0] > 0).long()
    new = torch.randn(20, 3, generator=chance, requires_grad=True)
    labels = torch.arange(20) % 2
    loss = OldNeighbours(stored, classes, ranking=1.0)
    descent = torch.optim.SGD([new], lr=0.3)

    def right():
        first = (torch.nn.functional.normalize(new) @ torch.nn.functional.normalize(stored).T).argmax(1)
        return (classes[first] == labels).float().mean().item()

    assert right() < 0.8
    for _ in range(50):
        descent.zero_grad()
        loss(new, labels=labels).backward()
        descent.step()
    assert right() == 1.0


def test_what_is_drawn_is_drawn_by_torchs_generator():
    stored = torch.randn(50, 3, generator=torch.Generator().manual_seed(1))
    loss = OldNeighbours(stored, torch.arange(50) % 2, drawn=10)
    new, labels = torch.ones(1, 3), torch.tensor([0])
    values = []
    for seed in (0, 0, 1):
        torch.manual_seed(seed)
        values.append(loss(new, labels=labels).item())
    assert values[0] == values[1] != values[2]


def test_a_query_that_is_moved_must_have_pure_surroundings():
    # one item of its class in the midst of others: right on it, and wrong a little beside it
    angles = torch.tensor([0.0, 0.2, -0.2])
    stored = torch.stack([angles.cos(), angles.sin()], dim=1)
    new, labels = torch.tensor([[1.0, 0.0]]).repeat(200, 1), torch.zeros(200, dtype=torch.int64)
    still, moved = (OldNeighbours(stored, [0, 1, 1], temperature=0.002, spread=spread) for spread in (0.0, 0.5))
    assert still(new, labels=labels).item() < 1e-3
    torch.manual_seed(0)
    assert moved(new, labels=labels).item() > 1


@pytest.mark.parametrize(
    ("given", "settings_", "sentence"),
    [
        ([[1.0, 0.0], [0.0, 0.0]], {}, "embeddings_old has 1 row of zeros, first at row 1; a zero vector has no"),
        ([[1.0, 0.0], [0.0, 1.0]], {"temperature": 0.0}, "temperature is 0.0; pass a finite number above 0"),
        ([[1.0, 0.0], [0.0, 1.0]], {"ranking": -1.0}, "ranking is -1.0; pass a finite number of at least 0"),
        ([[1.0, 0.0], [0.0, 1.0]], {"spread": -0.1}, "spread is -0.1; pass a finite number of at least 0"),
        ([[1.0, 0.0], [0.0, 1.0]], {"drawn": 0}, "drawn is 0; pass a whole number of at least 1"),
    ],
)
def test_mistakes(given, settings_, sentence):
    with pytest.raises(InputError) as error:
        OldNeighbours(given, [0, 1], **settings_)
    assert str(error.value).startswith(sentence)


def test_a_class_that_the_draw_left_out_is_added_and_weighs_what_it_would_on_average():
    chance = torch.Generator().manual_seed(2)
    stored = torch.randn(4000, 4, generator=chance)
    classes = torch.zeros(4000, dtype=torch.int64)
    classes[:3] = 1  # a draw of 40 nearly never holds one of them
    new, labels = torch.randn(1, 4, generator=chance), torch.tensor([1])
    every = OldNeighbours(stored, classes, temperature=1.0, reduction="none", drawn=4000)
    few = OldNeighbours(stored, classes, temperature=1.0, reduction="none", drawn=40)
    torch.manual_seed(0)
    values = torch.cat([few(new, labels=labels) for _ in range(400)])
    assert (values > 0).all()
    # now and then a draw does hold one of the class, which then weighs more
    assert values.median().item() == pytest.approx(every(new, labels=labels).item(), rel=0.02)


def test_every_sample_of_a_batch_counts_with_thousands_of_classes():
    classes = torch.arange(5000) // 2
    stored = torch.randn(5000, 4, generator=torch.Generator().manual_seed(0))
    loss = OldNeighbours(stored, classes, drawn=50, reduction="none")
    torch.manual_seed(0)
    batch = torch.arange(0, 5000, 100)
    assert (loss(stored[batch], labels=classes[batch], own=batch) > 0).all()


def test_a_class_whose_only_vector_is_the_samples_own_does_not_count():
    stored = torch.randn(100, 4, generator=torch.Generator().manual_seed(0))
    loss = OldNeighbours(stored, torch.arange(100), drawn=10, reduction="none")
    torch.manual_seed(0)
    assert loss(stored[:5], labels=torch.arange(5), own=torch.arange(5)).tolist() == [0.0] * 5
