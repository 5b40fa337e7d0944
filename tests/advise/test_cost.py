"""Encoder calls, once and for every query."""

import pytest

from segue.advise.cost import Cost, Prices


def test_what_each_way_costs_by_hand():
    prices = Prices(gallery=10_000, embedded=400, old=0.5, new=2.0)
    anew = prices.of(old=0, new=1, embeds=True, rewrites=True)
    assert (anew.items, anew.seconds, anew.seconds_per_query) == (9600, 19_200.0, 2.0)
    assert str(anew) == "9,600 items to embed (5.33 h); each query: new encoder (2 s)"
    blended = prices.of(old=1, new=1)
    assert (blended.items, blended.seconds, blended.seconds_per_query) == (0, 0.0, 2.5)
    assert str(blended) == "nothing; each query: old and new encoder (2.5 s)"
    assert str(prices.of(old=0, new=1, rewrites=True)) == "vectors to rewrite; each query: new encoder (2 s)"
    assert str(prices.of(old=1, new=0)) == "nothing; each query: old encoder (500 ms)"
    assert prices.of(old=0, new=1, trains=True).once == "a training"


def test_what_is_not_known_is_not_told():
    prices = Prices(gallery=None, embedded=400, old=None, new=None)
    anew = prices.of(old=0, new=1, embeds=True)
    assert str(anew) == "the gallery to embed; each query: new encoder"
    assert anew.to_dict()["seconds"] is anew.to_dict()["items"] is None
    assert Prices(None, 1, None, 1.0).of(old=1, new=1).seconds_per_query is None


@pytest.mark.parametrize(("gallery", "told"), [(400, "nothing"), (401, "1 item to embed"), (10, "nothing")])
def test_what_is_embedded_already_is_not_embedded_again(gallery, told):
    assert Prices(gallery, 400, None, None).of(old=0, new=1, embeds=True).once == told


def test_a_cost_without_numbers_of_calls_is_zero():
    assert Cost(items=0, old_per_query=0, new_per_query=1).to_dict()["rewrites"] is False
