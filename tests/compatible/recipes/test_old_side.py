"""What the old model left, and what the methods make of it."""

import pytest
import torch
from torch import nn
from torch.nn import functional

from segue.compatible.heads import FrozenHead
from segue.compatible.recipes import StoredEmbeddings, Workshop, train
from segue.compatible.recipes.methods.influence import INFLUENCE, INFLUENCE_DISTILLATION
from segue.compatible.recipes.methods.mixing import MIXING
from segue.compatible.recipes.objective import Seen
from segue.compatible.recipes.old_side import OldSide
from tests.compatible.recipes.cases import TRAIN, old_network, stored, update


def of_length_one(left):
    return StoredEmbeddings(functional.normalize(left.train), functional.normalize(left.validation), left.known)


def drawn(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def objectives(shop, method):
    """The objectives that a method trains by, one per candidate; nothing is trained."""
    found = []

    def run(key, make, *, told=None, **settings):
        found.append((make(), told or {}))
        raise StopIteration

    shop.run = run
    with pytest.raises((StopIteration, RuntimeError)):
        next(method.candidates(shop))
    return found


@pytest.mark.parametrize("method", [INFLUENCE, INFLUENCE_DISTILLATION])
@pytest.mark.parametrize(
    ("changes", "wanted"),
    [
        ({"old": of_length_one(stored())}, True),
        ({"old": stored()}, False),
        ({"old": nn.Sequential(old_network(), nn.Flatten()), "old_head": FrozenHead(drawn(6, 4))}, False),
        # the head may be older than the store, which brought vectors to length 1
        ({"old": of_length_one(stored()), "old_head": FrozenHead(drawn(6, 4))}, False),
    ],
)
def test_a_head_fitted_to_vectors_of_length_1_sees_new_embeddings_at_that_length(method, changes, wanted):
    [(objective, _)] = objectives(Workshop(update(**changes), progress=False), method)
    new, old, labels = drawn(6, 8), functional.normalize(drawn(6, 4, seed=1)), torch.arange(6)
    short, long = (objective.loss(new * factor, old, labels).item() for factor in (1.0, 5.0))
    assert (short == pytest.approx(long, rel=1e-5)) == wanted


class Unit(nn.Module):
    """An old network whose embeddings have length 1."""

    def __init__(self):
        super().__init__()
        self.network = old_network()

    def forward(self, inputs):
        return functional.normalize(self.network(inputs))


def test_so_does_the_head_of_a_network_that_returns_such_vectors():
    shop = Workshop(update(old=Unit(), old_head=FrozenHead(drawn(6, 4))), progress=False)
    assert shop.old.head_is_of_unit_vectors
    half = OldSide(shop.old.vectors.half().float(), shop.old.known, shop.old.labels)
    assert half.head_is_of_unit_vectors


def test_it_finds_more_in_a_store_of_unit_vectors_than_lengths_left_free():
    # three seeds, as measured before this was so: 0.80 at strength 1
    found = [
        train(update(epochs=8, old=of_length_one(stored()), seed=seed), "influence", progress=False).candidates[2]
        for seed in range(3)
    ]
    assert sum(one.new_old for one in found) / 3 > 0.84


@pytest.mark.parametrize("scale", [None, 10.0])
def test_a_head_without_a_map_is_of_the_first_classes(scale):
    # three rows, and the other three classes have no old embedding: they are left out, not refused
    head = FrozenHead(drawn(3, 4), scale=scale)
    left = stored(TRAIN[1] < 3)
    for name in ("influence", "influence-cosine"):
        found = train(update(epochs=1, old=left, old_head=head), name, progress=False)
        assert [tried.candidates for tried in found.tried] == [2, 2]
    shop = Workshop(update(old=left, old_head=head), progress=False)
    assert shop.old.head.rows(torch.tensor([0, 2, 5])).tolist() == [0, 2, -100]
    wide = Workshop(update(old=stored(), old_head=head), progress=False)
    assert wide.old.head.rows.class_of_row.tolist() == [0, 1, 2, 3, 4, 5]


def test_the_mix_leaves_old_embeddings_out_that_are_far_from_their_class():
    left = stored(torch.arange(len(TRAIN[1])) % 4 > 0)
    shop = Workshop(update(old=left), progress=False)
    [(objective, told)] = objectives(shop, MIXING)
    credible = told["credible"][:, 0]
    assert not credible[~left.known].any()
    for label in range(6):
        rows = (left.known & (TRAIN[1] == label)).nonzero().squeeze(1)
        units = functional.normalize(left.train[rows].double())
        near = units @ functional.normalize(units.mean(dim=0), dim=0)
        dropped = rows[near.argsort()[: len(rows) - -(-len(rows) * 9 // 10)]]
        assert len(dropped) > 0
        assert not credible[dropped].any()
        assert int(credible[rows].sum()) == len(rows) - len(dropped)
    # what is not credible is never put in: with none credible the mix is the new embeddings alone
    old = left.train.where(left.known[:, None], torch.zeros(()))
    none = {"credible": torch.zeros(240, 1, dtype=torch.bool)}
    new = drawn(240, 8)
    seen = Seen(new, old, left.known, TRAIN[1], 0.0, none)
    wanted = functional.cross_entropy(objective.head(functional.normalize(new)), TRAIN[1])
    assert objective.own(seen).item() == pytest.approx(wanted.item(), rel=1e-5)
