"""What each method minimises: one batch against the own loss and what holds it to the old model, written out."""

from dataclasses import replace

import pytest
import torch
from torch.nn import functional

from segue.compatible.heads import CosineHead
from segue.compatible.losses import (
    BoundaryAlignment,
    CrossContrastive,
    CrossTriplet,
    ElasticBoundary,
    EmbeddingRegression,
    HigherOrderContrastive,
    InfluenceDistillation,
    InfluenceLoss,
    RegressionAlleviating,
    mix_embeddings,
)
from segue.compatible.recipes import METHODS, Workshop
from segue.compatible.recipes.objective import Beside, Seen
from tests.compatible.recipes.cases import OLD, TRAIN, stored, update

ROWS = 24
KNOWN = torch.arange(len(TRAIN[1])) % 3 > 0
PROGRESS = 0.25


class Asked(Exception):
    """A training was asked for; here it is looked at instead."""

    def __init__(self, objective, told):
        self.objective, self.told = objective, told


@pytest.fixture(scope="module")
def shop():
    return Workshop(update(old=stored(KNOWN), epochs=1), progress=False)


def objective_of(name, shop, monkeypatch):
    """The objective of a method's first candidate, before a step, and what it is told of each sample."""
    plain = type(shop).run

    def run(self, key, make, **settings):
        if key.startswith("independent"):
            return plain(self, key, make, **settings)
        raise Asked(self.drawn(key, make), settings.get("told") or {})

    monkeypatch.setattr(type(shop), "run", run)
    with pytest.raises(Asked) as asked:
        next(METHODS[name].candidates(shop))
    return asked.value.objective, asked.value.told


def seen_by(objective, told, shop):
    """A batch of new embeddings, as the objective sees it."""
    new = torch.randn(ROWS, objective.dimension, generator=torch.Generator().manual_seed(5))
    old = shop.old
    rows = {name: values[:ROWS] for name, values in told.items()}
    return Seen(new, old.vectors[:ROWS], old.known[:ROWS], old.labels[:ROWS], PROGRESS, rows)


def classified(objective, seen):
    return functional.cross_entropy(objective.head(seen.new, seen.labels), seen.labels)


PAIRED = {
    "regression": EmbeddingRegression,
    "contrastive": CrossContrastive,
    "triplet": CrossTriplet,
    "regression-alleviating": RegressionAlleviating,
}


def beside(objective, seen, shop, name):
    """The own loss and strength 1 times the published one."""
    own, known = classified(objective, seen), seen.known
    if name in PAIRED:
        return own + PAIRED[name]()(seen.new[known], seen.old[known], seen.labels[known])
    if name == "influence":
        return own + InfluenceLoss(shop.old.head)(seen.new, labels=seen.labels)
    if name == "influence-cosine":
        return own + InfluenceLoss(shop.old.imprinted(16.0))(seen.new, labels=seen.labels)
    if name == "influence-distillation":
        return own + InfluenceDistillation(shop.old.head)(seen.new[known], seen.old[known])
    if name == "boundary-alignment":
        loss = BoundaryAlignment(shop.old.regions)
        return own + loss(seen.new, labels=seen.labels, new_weights=objective.head.weight)
    if name == "adversarial":
        told = objective.discriminator(seen.new[known], seen.old[known])
        return own + ElasticBoundary(shop.old.regions)(seen.new, labels=seen.labels) + (1 - PROGRESS) * told
    if name == "stationary":
        known_ = HigherOrderContrastive()(seen.new[known], seen.old[known], seen.labels[known])
        return 0.1 * own + 0.9 * known_
    raise LookupError(name)


OTHERS = "influence", "influence-cosine", "influence-distillation", "boundary-alignment", "adversarial", "stationary"


@pytest.mark.parametrize("name", [*PAIRED, *OTHERS])
def test_a_step_is_the_own_loss_and_the_published_one(name, shop, monkeypatch):
    objective, told = objective_of(name, shop, monkeypatch)
    seen = seen_by(objective, told, shop)
    found = objective.own(seen) + objective.compatible(seen)
    wanted = beside(objective, seen, shop, name)
    assert found.item() == pytest.approx(wanted.item(), rel=1e-5)
    assert abs(found.item() - classified(objective, seen).item()) > 1e-3


def test_mixing_classifies_the_mix(shop, monkeypatch):
    objective, told = objective_of("mixing", shop, monkeypatch)
    seen = seen_by(objective, told, shop)
    torch.manual_seed(1)
    mixed = mix_embeddings(seen.new, seen.old, 0.3, credible=told["credible"][:ROWS, 0])
    assert int(mixed.replaced.sum()) == 7
    torch.manual_seed(1)
    found = objective.own(seen) + objective.compatible(seen)
    wanted = functional.cross_entropy(objective.head(mixed.embeddings, seen.labels), seen.labels)
    assert found.item() == pytest.approx(wanted.item(), rel=1e-5)


def test_the_basis_is_held_by_three_terms(shop, monkeypatch):
    objective, told = objective_of("basis-transformation", shop, monkeypatch)
    seen = seen_by(objective, told, shop)
    features, known = objective.basis.features(seen.new), seen.known
    own = functional.cross_entropy(objective.head(features, seen.labels), seen.labels)
    part = functional.normalize(seen.new[known][:, :OLD])
    centres = shop.old.imprinted(1.0)
    old_classes = functional.cross_entropy(centres(part), centres.rows(seen.labels[known]))
    held = (1 - functional.cosine_similarity(part, seen.old[known])).mean()
    kept = (1 - functional.cosine_similarity(features[known], told["feature"][:ROWS][known])).mean()
    found = objective.own(seen) + objective.compatible(seen)
    assert found.item() == pytest.approx((own + kept + 10 * old_classes + 5 * held).item(), rel=1e-4)


@pytest.mark.parametrize("strength", [1.0, 0.3])
def test_the_strength_weighs_what_is_beside_the_own_loss(strength, shop):
    head = CosineHead(8, 6)
    objective = Beside(head, 8, 10, loss=EmbeddingRegression(), strength=strength)
    seen = seen_by(objective, {}, shop)
    known = seen.known
    wanted = strength * EmbeddingRegression()(seen.new[known], seen.old[known])
    assert objective.compatible(seen).item() == pytest.approx(wanted.item(), rel=1e-5)


def test_old_neighbours_pull_at_the_samples_whose_class_is_in_the_store(shop, monkeypatch):
    objective, told = objective_of("old-neighbours", shop, monkeypatch)
    seen = seen_by(objective, told, shop)
    new = seen.new.clone().requires_grad_()
    (pull,) = torch.autograd.grad(objective.compatible(replace(seen, new=new)), new)
    in_store = torch.isin(seen.labels, shop.old.bank[1])
    assert 0 < int(in_store.sum()) < ROWS  # two classes have no old embedding
    assert torch.equal(pull[:, :OLD].norm(dim=1) > 1e-6, in_store)
    assert pull[:, OLD:].abs().max() == 0
