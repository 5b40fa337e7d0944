import math

import pytest
import torch

from segue.compatible.losses import BoundaryAlignment, ElasticBoundary
from segue.compatible.regions import ClassRegions
from segue.errors import InputError
from tests.compatible.losses.cases import CENTRES, REGIONS, batch

ONE = ClassRegions(
    torch.tensor([[1.0, 0.0]], dtype=torch.float64), torch.tensor([0.5], dtype=torch.float64), torch.tensor([3])
)


def at(degrees):
    radians = math.radians(degrees)
    return torch.tensor([[7 * math.cos(radians), 7 * math.sin(radians)]], dtype=torch.float64)


@pytest.mark.parametrize(("degrees", "value"), [(0, 0.0), (20, 0.0), (90, math.pi / 2 - 0.5), (180, math.pi - 0.5)])
def test_the_boundary_worked_by_hand(degrees, value):
    loss = BoundaryAlignment(ONE, alignment=0.0)
    assert loss(at(degrees), labels=torch.tensor([3])).item() == pytest.approx(value)


def test_alignment_worked_by_hand():
    # the boundary holds; the new head's row 3 is at 60 degrees to the old centre
    rows = torch.zeros(4, 2, dtype=torch.float64)
    rows[3] = at(60)
    loss = BoundaryAlignment(ONE, boundary=9.0, alignment=3.0)
    assert loss(at(0), labels=torch.tensor([3]), new_weights=rows).item() == pytest.approx(1.5)


def test_alignment_trains_the_rows_of_the_old_classes_in_the_batch():
    new, _, _ = batch(0)
    labels = torch.tensor([0, 3, 1, 4, 2, 2, 0, 0, 3, 1, 4, 4])
    rows = torch.randn(5, 6, dtype=torch.float64, requires_grad=True)
    BoundaryAlignment(REGIONS)(new, labels=labels, new_weights=rows).backward()
    # class 2 has a region without extent, 1 and 4 have none; dimensions beyond the old ones are free
    moved = rows.grad.abs() > 0
    assert moved.any(dim=1).tolist() == [True, False, False, True, False]
    assert not moved[:, 4:].any()


def test_alignment_is_differentiable_in_the_rows():
    new, _, labels = batch(1, n=5)
    rows = torch.randn(5, 6, dtype=torch.float64, requires_grad=True)
    loss = BoundaryAlignment(REGIONS, reduction="none")
    assert torch.autograd.gradcheck(lambda w: loss(new, labels=labels, new_weights=w), (rows,))


def test_the_elastic_boundary_worked_by_hand():
    # the chord of 0.5 radians is 2 sin(1/4); at the start the radius is halfway to the threshold
    loss = ElasticBoundary(ONE, threshold=0.8)
    radius = (2 * math.sin(0.25) + 0.8) / 2
    assert loss(at(90), labels=torch.tensor([3])).item() == pytest.approx(math.sqrt(2) - radius)
    assert loss.radii.tolist() == pytest.approx([radius])


def test_a_tight_class_is_given_room_and_a_wide_one_is_drawn_in():
    wide = ClassRegions(CENTRES[:2], torch.tensor([0.1, 3.0], dtype=torch.float64), torch.tensor([0, 1]))
    loss = ElasticBoundary(wide, threshold=1.0)
    assert loss.old_radii[0] < loss.radii[0] < 1
    assert loss.old_radii[1] > loss.radii[1] > 1
    loss.weight.data.fill_(50.0)
    assert loss.radii.tolist() == pytest.approx([1.0, 1.0])
    loss.weight.data.fill_(-50.0)
    assert loss.radii.tolist() == pytest.approx(loss.old_radii.tolist())


def test_the_radii_are_trained():
    new, _, labels = batch(2)
    loss = ElasticBoundary(REGIONS)
    loss(new, labels=labels).backward()
    assert loss.weight.grad is not None
    assert loss.weight.grad.abs().sum() > 0


@pytest.mark.parametrize("loss", [BoundaryAlignment, ElasticBoundary])
def test_what_are_no_regions_is_one_sentence(loss):
    with pytest.raises(InputError) as told:
        loss(torch.zeros(3, 2))
    assert str(told.value) == "regions is a Tensor; make them with segue.compatible.regions.class_regions()"


def test_missing_and_short_rows_of_the_new_head_are_one_sentence():
    with pytest.raises(InputError, match="BoundaryAlignment needs new_weights, the rows of the new head"):
        BoundaryAlignment(ONE)(at(0), labels=torch.tensor([3]))
    with pytest.raises(InputError) as told:
        BoundaryAlignment(ONE)(at(0), labels=torch.tensor([3]), new_weights=torch.zeros(2, 2))
    assert str(told.value) == (
        "labels hold the class 3, but new_weights have only 2 rows; pass one row per class of the new model"
    )
    with pytest.raises(InputError, match=r"new_weights have 5 dimensions; pass \(n, 2\)"):
        BoundaryAlignment(ONE)(at(0), labels=torch.tensor([3]), new_weights=torch.zeros(4, 5))
