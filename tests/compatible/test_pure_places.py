import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from segue.compatible.embeddings import unit
from segue.compatible.pure_places import PurePlaces, pure_places
from segue.errors import InputError


def mixed(seed, count=200):
    """Class 0 is a cloud to the right and one above; class 1 lies in the upper cloud alone."""
    chance = torch.Generator().manual_seed(seed)
    centres = torch.tensor([[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 1.0, 0.0], [0.0, 1.0, 0.0]])
    cloud = torch.arange(count) % 4
    return centres[cloud] + 0.15 * torch.randn(count, 3, generator=chance), (cloud > 1).long()


def share_of_class(places, vectors, labels):
    """The share of the 20 nearest stored vectors that are of the place's class."""
    nearest = (places.directions.float() @ unit(vectors).T).topk(20, dim=1).indices
    return (labels[nearest] == places.classes[:, None]).float().mean(dim=1)


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_a_place_lies_where_its_class_is_by_itself_and_a_mean_does_not(seed):
    vectors, labels = mixed(seed)
    torch.manual_seed(seed)
    places = pure_places(vectors, labels, per_class=1)
    mean = unit(unit(vectors)[labels == 0].mean(dim=0, keepdim=True))
    of_mean = share_of_class(PurePlaces(mean, torch.tensor([0])), vectors, labels)
    of_place = share_of_class(places, vectors, labels)
    assert of_place[0] == 1.0 > of_mean[0]


@settings(max_examples=10, deadline=None)
@given(st.integers(0, 1000), st.integers(1, 4))
def test_directions_of_length_1_and_at_most_so_many_for_each_class(seed, per_class):
    chance = torch.Generator().manual_seed(seed)
    vectors, labels = torch.randn(12, 3, generator=chance), torch.randint(4, (12,), generator=chance)
    places = pure_places(vectors, labels, per_class=per_class, steps=2)
    assert torch.linalg.vector_norm(places.directions, dim=1).tolist() == pytest.approx([1.0] * len(places.directions))
    counts = torch.bincount(places.classes)
    assert set(places.classes.tolist()) == set(labels.tolist())
    assert int(counts.max()) <= per_class
    assert places.classes.tolist() == sorted(places.classes.tolist())


def test_each_sample_has_the_place_of_its_class_that_is_nearest_to_its_old_embedding():
    places = PurePlaces(torch.tensor([[1.0, 0.0], [0.0, 1.0], [-1.0, 0.0]]), torch.tensor([0, 0, 2]))
    old = torch.tensor([[5.0, 1.0], [0.1, 0.2], [3.0, 4.0], [0.0, 0.0], [1.0, 0.0], [1.0, 1.0]])
    targets, found = places.nearest(old, torch.tensor([0, 0, 0, 0, 2, 1]))
    assert found.tolist() == [True] * 5 + [False]
    # the fourth has no old embedding: most of its class are nearest to the second place; class 1 has no place
    assert targets.tolist() == [[1, 0], [0, 1], [0, 1], [0, 1], [-1, 0], [0, 0]]


def test_a_class_of_none_but_unknown_samples_gets_its_first_place():
    places = PurePlaces(torch.tensor([[1.0, 0.0], [0.0, 1.0]]), torch.tensor([3, 3]))
    targets, found = places.nearest(torch.zeros(2, 2), torch.tensor([3, 3]))
    assert found.all()
    assert targets.tolist() == [[1, 0], [1, 0]]


def test_the_same_draws_give_the_same_places():
    vectors, labels = mixed(0)
    found = []
    for seed in (0, 0, 1):
        torch.manual_seed(seed)
        found.append(pure_places(vectors, labels, per_class=2, steps=3).directions)
    assert torch.equal(found[0], found[1])
    assert not torch.equal(found[0], found[2])


def test_a_class_whose_vectors_are_all_the_same_has_a_place_there():
    vectors = torch.tensor([[1.0, 0.0]]).repeat(10, 1)
    places = pure_places(vectors, [0] * 10, per_class=4, steps=2)
    assert (places.directions @ torch.tensor([1.0, 0.0], dtype=torch.float64)).min() > 0.9


@pytest.mark.parametrize(
    ("given", "labels", "settings_", "sentence"),
    [
        (
            [[1.0, 0.0], [0.0, 0.0]],
            [0, 1],
            {},
            "embeddings_old has 1 row of zeros, first at row 1; a zero vector has no",
        ),
        ([[1.0, 0.0]], [0, 1], {}, "labels have the shape (2,); pass one class index per row of embeddings_old, (1,)"),
        ([[1.0, 0.0]], [0], {"per_class": 0}, "per_class is 0; pass a whole number of at least 1"),
        ([[1.0, 0.0]], [0], {"steps": 0}, "steps is 0; pass a whole number of at least 1"),
        ([[1.0, 0.0]], [0], {"spread": -1.0}, "spread is -1.0; pass a finite number of at least 0"),
    ],
)
def test_mistakes(given, labels, settings_, sentence):
    with pytest.raises(InputError) as error:
        pure_places(given, labels, **settings_)
    assert str(error.value).startswith(sentence)
