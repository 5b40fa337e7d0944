from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal

import torch
from hypothesis import given
from hypothesis import strategies as st

from segue.compatible.losses import mix_embeddings, near_class_mean
from segue.compatible.regions import class_regions
from segue.compatible.shares import rounded_down, rounded_up

HUNDREDTHS = st.integers(1, 100).map(lambda points: Decimal(points) / 100)


@given(st.integers(1, 5000), HUNDREDTHS)
def test_a_share_is_that_of_its_decimal_fraction(count, share):
    exact = share * count
    assert rounded_down(count, float(share)) == int(exact.to_integral_value(ROUND_FLOOR))
    assert rounded_up(torch.tensor([count]), float(share)).tolist() == [int(exact.to_integral_value(ROUND_CEILING))]


def test_the_smallest_share_is_one_sample_and_none_when_rounded_down():
    assert rounded_up(torch.tensor([3, 1]), 1e-12).tolist() == [1, 1]
    assert rounded_down(3, 1e-12) == 0


def test_fifteen_of_a_hundred_are_kept_and_reach_as_far_as_the_fifteenth():
    degrees = torch.arange(100.0).deg2rad() / 10
    fan = torch.stack([degrees.cos(), degrees.sin()], dim=1)
    labels = torch.zeros(100, dtype=torch.int64)
    assert int(near_class_mean(fan, labels, share=0.15).sum()) == 15
    # from the middle, at 4.95 degrees, the fourteenth and the fifteenth nearest lie 0.65 and 0.75 degrees away
    assert abs(float(class_regions(fan, labels, share=0.15).radii.rad2deg()) - 0.75) < 1e-3


def test_twenty_nine_of_a_hundred_are_replaced():
    new, old = torch.ones(100, 2), torch.ones(100, 2)
    assert int(mix_embeddings(new, old, 0.29).replaced.sum()) == 29
