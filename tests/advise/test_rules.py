"""The rules, number by number: what is said follows from intervals and from nothing else."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from segue.advise import Cost, Option, Way
from segue.advise.option import MAPS
from segue.advise.rules import Decision, Limits, decide
from segue.flips import Estimate

COST = Cost(items=0, old_per_query=0, new_per_query=1)
LIMITS = Limits(keep=0.5, worthwhile=0.01, confidence=0.95)


def ways(upgrade, **maps):
    """The ways with these differences to the old model; maps as (difference, least share, whether in the gallery)."""
    options = {Way.RE_EMBED: Option(Way.RE_EMBED, COST, difference=upgrade)}
    for name, (difference, share, real) in maps.items():
        way = Way[name]
        kept = None if share is None else Estimate(share + 0.1, share, share + 0.2)
        options[way] = Option(way, COST, difference=difference, share=kept, real_gallery=real)
    return options


GAIN, LESS = Estimate(0.10, 0.08, 0.12), Estimate(0.07, 0.05, 0.09)
CASES = [
    (1, Way.CHANGE_NOTHING, ways(Estimate(0.0, -0.01, 0.01)), True),
    (1, Way.CHANGE_NOTHING, ways(None), True),
    (7, Way.RE_EMBED, ways(GAIN), True),  # what was measured counts, whatever cosines say
    (3, Way.CHANGE_NOTHING, ways(Estimate(-0.05, -0.08, -0.02)), True),
    (2, None, ways(None), False),
    (3, Way.CHANGE_NOTHING, ways(Estimate(-0.05, -0.08, -0.02), MAP_QUERIES=(LESS, 0.7, True)), False),
    (4, Way.CHANGE_NOTHING, ways(Estimate(0.001, -0.004, 0.006)), False),
    (4, Way.CHANGE_NOTHING, ways(Estimate(0.004, 0.002, 0.006)), False),
    (5, None, ways(Estimate(0.004, 0.001, 0.0105)), False),  # better, but not shown to be worth it
    (5, None, ways(Estimate(0.05, 0.005, 0.1), MAP_QUERIES=(LESS, 0.7, True)), False),
    (7, Way.RE_EMBED, ways(Estimate(0.05, 0.01, 0.1)), False),
    (5, None, ways(Estimate(0.05, -0.01, 0.11), MAP_QUERIES=(LESS, 0.7, True)), False),
    (5, None, ways(Estimate(0.0, 0.0, 0.02)), False),
    (6, Way.MAP_QUERIES, ways(GAIN, MAP_QUERIES=(LESS, 0.7, True), MAP_GALLERY=(GAIN, 1.0, True)), False),
    (6, Way.MAP_GALLERY, ways(GAIN, BLEND_QUERIES=(GAIN, 1.0, True), MAP_GALLERY=(LESS, 0.7, True)), False),
    (6, Way.BLEND_QUERIES, ways(GAIN, BLEND_QUERIES=(LESS, 0.5, True), MAP_GALLERY=(LESS, 0.49, True)), False),
    (7, Way.RE_EMBED, ways(GAIN), False),
    (7, Way.RE_EMBED, ways(GAIN, MAP_QUERIES=(LESS, 0.7, False)), False),  # not in a real gallery
    (7, Way.RE_EMBED, ways(GAIN, MAP_QUERIES=(LESS, 0.4, True)), False),  # may keep too little
    (7, Way.RE_EMBED, ways(GAIN, MAP_QUERIES=(Estimate(0.07, 0.0, 0.1), 0.7, True)), False),  # may be luck
    (7, Way.RE_EMBED, ways(GAIN, MAP_QUERIES=(LESS, None, True)), False),
]


@pytest.mark.parametrize(("rule", "way", "options", "same"), CASES)
def test_each_rule(rule, way, options, same):
    decision = decide(options, same=same, queries=1000, limits=LIMITS)
    assert (decision.rule, decision.way) == (rule, way)


def test_how_many_queries_would_tell():
    # An arm of 0.06 at 100 queries is to become 0.04 (1.96 of 2.8 standard errors): 100 (0.06 / 0.04 * 2.8 / 1.96)^2.
    decision = decide(ways(Estimate(0.05, -0.01, 0.11)), same=False, queries=100, limits=LIMITS)
    assert decision == Decision(None, 5, 460)
    # what seems a loss of 5 points is told from a gain of 1 by queries that make an arm of 0.08 one of 0.06
    decision = decide(ways(Estimate(-0.05, -0.13, 0.03)), same=False, queries=100, limits=LIMITS)
    assert decision.needed == 370
    # what is better for sure, from what is worth it: an arm of 0.03 is to become 0.02
    decision = decide(ways(Estimate(0.03, 0.005, 0.06)), same=False, queries=1000, limits=Limits(0.5, 0.05, 0.95))
    assert decision == Decision(None, 5, 4600)
    assert decide(ways(Estimate(0.0, -0.2, 0.2)), same=False, queries=9, limits=LIMITS).needed == 7400
    same = decide(ways(Estimate(0.0, -0.2, 0.2)), same=False, queries=9, limits=Limits(0.5, 0.0, 0.95))
    assert same.needed is None


estimates = st.tuples(*[st.floats(-1, 1)] * 3).map(sorted).map(lambda ends: Estimate(ends[1], ends[0], ends[2]))
maps = st.tuples(estimates, st.none() | st.floats(-1, 2), st.booleans())


@given(st.none() | estimates, maps, maps, maps, st.booleans())
def test_nothing_is_recommended_that_is_not_shown(upgrade, queries, gallery, blended, same):
    options = ways(upgrade, MAP_QUERIES=queries, MAP_GALLERY=gallery, BLEND_QUERIES=blended)
    way = decide(options, same=same, queries=100, limits=LIMITS).way
    if way not in {None, Way.CHANGE_NOTHING}:
        assert upgrade is not None
        assert upgrade.low > 0
        assert upgrade.low >= LIMITS.worthwhile
        assert options[way].shown_better
    if way in MAPS:
        assert options[way].real_gallery
        assert options[way].share.low >= 0.5
    assert way is not Way.TRAIN
