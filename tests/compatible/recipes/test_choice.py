import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from segue.compatible.recipes import BestOnOldGallery, Candidate, front
from segue.errors import InputError


def candidate(new_old, new_new, method="a"):
    return Candidate(method, {}, new_old, new_new, "run", 1.0, nn.Identity(), {"new_old": np.array([new_old])})


QUALITY = st.integers(0, 100).map(lambda points: points / 100)
MANY = st.lists(st.builds(candidate, QUALITY, QUALITY), min_size=1, max_size=12)


def test_the_best_on_the_old_gallery_among_those_that_hold_up():
    paragon = candidate(0.1, 0.90)
    high, fair, weak = candidate(0.8, 0.87), candidate(0.7, 0.89), candidate(0.6, 0.95)
    assert BestOnOldGallery().pick([high, fair, weak], paragon) is fair
    assert BestOnOldGallery(margin=0.03).pick([high, fair, weak], paragon) is high
    assert BestOnOldGallery(margin=0.0).pick([high, fair, weak], paragon) is weak


def test_where_none_holds_up_the_closest_is_picked_and_without_any_the_paragon():
    paragon = candidate(0.1, 0.90)
    assert BestOnOldGallery().pick([candidate(0.8, 0.5), near := candidate(0.2, 0.6)], paragon) is near
    assert BestOnOldGallery().pick([], paragon) is paragon


@given(MANY)
def test_the_front_is_what_no_candidate_beats_on_both(many):
    found = front(many)
    for one in many:
        beaten = any(o.new_old >= one.new_old and o.new_new >= one.new_new for o in found)
        assert beaten
    for one in found:
        assert not any(o.new_old > one.new_old and o.new_new > one.new_new for o in many)


@given(MANY, QUALITY)
def test_the_pick_meets_the_rule_where_one_does_and_is_then_on_the_front_of_those(many, level):
    rule, paragon = BestOnOldGallery(), candidate(0.0, level)
    picked = rule.pick(many, paragon)
    good = [one for one in many if one.new_new >= level - 0.01 - 1e-9]
    if good:
        assert picked.new_old == max(one.new_old for one in good)
    else:
        assert picked.new_new == max(one.new_new for one in many)


@pytest.mark.parametrize("margin", [-0.1, 1, True, "1"])
def test_a_margin_that_is_none(margin):
    with pytest.raises(InputError, match=r"margin is .*; pass a share from 0 to below 1"):
        BestOnOldGallery(margin=margin)


def test_one_point_is_told_in_the_singular():
    assert str(BestOnOldGallery(margin=0.01)).endswith(" below the paragon on their own gallery by more than 1 point")
    assert str(BestOnOldGallery(margin=0.005)).endswith(" on their own gallery by more than 0.5 points")
