"""Each loss, added to an encoder's training, must make new queries find old vectors, which they don't by themselves."""

import pytest
import torch
from torch import nn
from torch.nn import functional

from segue.compatible.embeddings import common_part, unit
from segue.compatible.heads import ArcFaceMargin, CosineHead, fit_head, imprinted_head
from segue.compatible.losses import (
    AdversarialAlignment,
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
from segue.compatible.regions import class_regions

CLASSES, INPUTS, D_OLD, D_NEW = 8, 12, 5, 7


def world(seed=0):
    """Inputs, labels, and what an old encoder made of them."""
    draws = torch.Generator().manual_seed(seed)
    centres = 2 * torch.randn(CLASSES, INPUTS, generator=draws)
    labels = torch.arange(240) % CLASSES
    inputs = centres[labels] + torch.randn(240, INPUTS, generator=draws)
    return inputs, labels, unit(inputs @ torch.randn(INPUTS, D_OLD, generator=draws))


INPUT, LABELS, OLD = world()
LOSSES = {
    "influence of a fitted head": lambda: InfluenceLoss(fit_head(OLD, LABELS), normalise=True),
    "influence of class means": lambda: InfluenceLoss(imprinted_head(OLD, LABELS)),
    "distillation": lambda: InfluenceDistillation(imprinted_head(OLD, LABELS)),
    "regression": EmbeddingRegression,
    "contrastive": CrossContrastive,
    "triplet": CrossTriplet,
    "RACT": RegressionAlleviating,
    "HOC": HigherOrderContrastive,
    "boundary": lambda: BoundaryAlignment(class_regions(OLD, LABELS, share=0.5), alignment=0.0),
    "elastic boundary": lambda: ElasticBoundary(class_regions(OLD, LABELS, share=0.5), threshold=0.3),
}


def found(encoder):
    """The share of new queries whose nearest old vector, other than their own, is of their class."""
    queries = common_part(encoder(INPUT), OLD.shape[1], normalise=True)
    nearest = (queries @ OLD.T).fill_diagonal_(-2).argmax(dim=1)
    return (LABELS[nearest] == LABELS).float().mean().item()


def trained(added, more=()):
    torch.manual_seed(1)
    encoder = nn.Sequential(nn.Linear(INPUTS, 32), nn.ReLU(), nn.Linear(32, D_NEW))
    head = CosineHead(D_NEW, CLASSES, scale=10.0, margin=ArcFaceMargin(0.2))
    step = torch.optim.Adam([*encoder.parameters(), *head.parameters(), *more], lr=0.02)
    for _ in range(80):
        step.zero_grad()
        added(encoder(INPUT), head).backward()
        step.step()
    with torch.no_grad():
        return found(encoder)


def plain(new, head):
    return functional.cross_entropy(head(new, LABELS), LABELS)


@pytest.fixture(scope="module")
def by_itself():
    return trained(plain)


@pytest.mark.parametrize("name", LOSSES)
def test_new_queries_find_old_vectors(name, by_itself):
    loss = LOSSES[name]()
    share = trained(lambda new, head: plain(new, head) + loss(new, OLD, LABELS), loss.parameters())
    assert by_itself < 0.25
    assert share > 0.5


def test_mixing_does_so_with_one_loss(by_itself):
    draws = torch.Generator().manual_seed(2)

    def mixed(new, head):
        return plain(mix_embeddings(new, OLD, 0.5, generator=draws).embeddings, head)

    assert trained(mixed) > 0.5 > by_itself + 0.25


def test_the_discriminator_ends_up_unsure():
    # alone it matches clouds and no classes: what it promises is that new and old are hard to tell apart
    def told_apart(strength):
        torch.manual_seed(3)
        loss = AdversarialAlignment(D_OLD, hidden=16)
        loss.reversal.strength = strength
        last = []

        def added(new, head):
            value = loss(new, OLD)
            last.append(value.item())
            return plain(new, head) + value

        trained(added, loss.parameters())
        return sum(last[-10:]) / 10

    assert told_apart(1.0) > told_apart(0.0) + 0.3
