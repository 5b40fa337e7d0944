"""``advise`` on collections whose best way is known, and what it refuses."""

import json

import numpy as np
import pytest

from segue.adapters import fit_best
from segue.advise import Way, advise
from segue.advise.sampling import arms, widened, wider
from segue.errors import InputError
from segue.flips.graded import Change
from segue.retrieval import Relevance, cross_test, mean_difference, query_values
from tests.adapters.spaces import rotation_matrix
from tests.advise.spaces import collection

OLD, NEW, LABELS = collection(700, old_noise=1.6, new_noise=0.0, classes=25, dimension=16)
ITEMS, STORED, ASKING = slice(0, 100), slice(100, 400), slice(400, 700)
GALLERY = {"gallery_old": OLD[STORED], "gallery_labels": LABELS[STORED]}
QUERIES = {"queries_old": OLD[ASKING], "queries_new": NEW[ASKING], "query_labels": LABELS[ASKING]}


def advised(**changes):
    given = {"old": OLD[ITEMS], "new": NEW[ITEMS], "labels": LABELS[ITEMS], "folds": 2, **changes}
    return advise(given.pop("old"), given.pop("new"), **given)


@pytest.fixture(scope="module")
def searched():
    return advised(
        **GALLERY, **QUERIES, keep=0.3, gallery_size=10_000, seconds_per_item=0.02, old_seconds_per_item=0.01
    )


def test_the_plain_options_are_the_ends_of_a_cross_test(searched):
    relevance = Relevance.from_labels(LABELS[ASKING], LABELS[ITEMS])
    sides = OLD[ASKING], NEW[ASKING], OLD[ITEMS], NEW[ITEMS]
    over_queries, over_labels = (cross_test(*sides, relevance, groups=groups) for groups in (None, LABELS[ASKING]))
    still, anew = searched.option(Way.CHANGE_NOTHING), searched.option(Way.RE_EMBED)
    assert still.quality == wider(over_queries.old_old, over_labels.old_old)
    assert anew.quality == wider(over_queries.new_new, over_labels.new_new)
    expected = widened(over_queries.upgrade, arms(300, 100, each_other=False))
    assert anew.difference == wider(expected, over_labels.upgrade)


def test_items_that_ask_each_other_are_a_cross_test_among_themselves():
    alone = advised()
    own = Relevance.from_labels(LABELS[ITEMS], LABELS[ITEMS], exclude=np.arange(100))
    sides = OLD[ITEMS], NEW[ITEMS], OLD[ITEMS], NEW[ITEMS]
    over_queries, over_labels = (cross_test(*sides, own, groups=groups) for groups in (None, LABELS[ITEMS]))
    expected = widened(over_queries.upgrade, arms(100, 100, each_other=True))
    assert alone.option(Way.RE_EMBED).difference == wider(expected, over_labels.upgrade)
    assert (alone.queries, alone.labels) == (100, 25)


def test_queries_of_their_own_measure_a_map_that_was_chosen_without_them(searched):
    chosen = fit_best(NEW[ITEMS], OLD[ITEMS], side="queries", labels=LABELS[ITEMS], folds=2,
                      gallery=OLD[STORED], gallery_labels=LABELS[STORED])  # fmt: skip
    relevance = Relevance.from_labels(LABELS[ASKING], LABELS[STORED])
    before = query_values("cmc@1", OLD[ASKING], OLD[STORED], relevance)
    through = query_values("cmc@1", chosen.adapter.transform(NEW[ASKING]), OLD[STORED], relevance)
    option = searched.option(Way.MAP_QUERIES)
    assert repr(option.adapter) == repr(chosen.adapter)
    assert option.difference == wider(
        *(mean_difference(before, through, confidence=1 - 0.05 / 3, groups=by) for by in (None, LABELS[ASKING]))
    )
    among = Relevance.from_labels(LABELS[ASKING], LABELS[ITEMS])
    ends = [query_values("cmc@1", side[ASKING], side[ITEMS], among) for side in (OLD, NEW)]
    assert option.share.value == pytest.approx((through - before).sum() / (ends[1] - ends[0]).sum())
    beyond = (ends[1] - ends[0]) - (through - before)
    assert option.left == wider(
        widened(Change.of(beyond, 2.0).mean(0.95), arms(300, 100, each_other=False), most=2.0),
        Change.of(beyond, 2.0, groups=LABELS[ASKING]).mean(0.95),
    )
    assert (option.searched, option.real_gallery) == (300, True)


def test_the_gallery_map_and_the_blend_are_measured_as_they_would_be_used(searched):
    relevance = Relevance.from_labels(LABELS[ASKING], LABELS[STORED])
    stored, blend = searched.option(Way.MAP_GALLERY), searched.option(Way.BLEND_QUERIES)
    through = query_values("cmc@1", NEW[ASKING], stored.adapter.transform(OLD[STORED]), relevance)
    assert stored.quality.value == through.mean()
    through = query_values("cmc@1", blend.adapter.blend(NEW[ASKING], OLD[ASKING]), OLD[STORED], relevance)
    assert blend.quality.value == through.mean()


def test_a_supported_map_is_recommended_with_what_re_embedding_would_add(searched):
    assert searched.recommended is Way.MAP_QUERIES
    assert searched.option(Way.MAP_QUERIES).share.low >= 0.3
    assert [searched.option(way).cost.items for way in Way] == [0, 0, 0, 0, 0, 9900]
    text = str(searched)
    assert text.startswith(
        "Advice: map new queries into the old space and leave the gallery as it is.\nThe new model is"
    )
    assert "Mapping new queries into the old space keeps " in text
    assert "Re-embedding everything would add +" in text
    assert "and takes 9,900 items to embed (3.3 min)." in text
    assert "No item is embedded again; each query takes the new encoder (20 ms)." in text
    assert "Supported as well, at a higher cost: mapping the stored gallery into the new space keeps " in text


def test_a_high_share_asked_for_leaves_re_embedding():
    advice = advised(**GALLERY, **QUERIES, keep=1.0)
    assert advice.recommended is Way.RE_EMBED
    assert "of the upgrade only, less than 100%: +" in str(advice)
    assert "train the new model compatibly (segue.compatible)" in str(advice)


def test_a_share_that_only_seems_high_enough_leaves_re_embedding():
    advice = advised(**GALLERY, **QUERIES, keep=0.5)
    kept = advice.option(Way.MAP_QUERIES).share
    assert kept.low < 0.5 < kept.value
    assert (advice.recommended, advice.decision.rule) == (Way.RE_EMBED, 7)
    assert (
        f"keeps {kept.value:.0%} [{kept.low:.0%}, {kept.high:.0%}] of the upgrade, and is not shown to keep 50%: +"
        in str(advice)
    )


def test_without_a_stored_gallery_no_map_is_recommended():
    advice = advised()
    assert advice.option(Way.MAP_GALLERY).shown_better
    assert advice.recommended is Way.RE_EMBED
    assert "among 49 held-out items, but in a real gallery a map loses more" in str(advice)
    assert "Note: no stored gallery was given: maps were tried on held-out items only, where they look better." in str(
        advice
    )


def test_a_worse_model_is_said_to_be_worse():
    advice = advised(old=NEW[ITEMS], new=OLD[ITEMS])
    assert (advice.recommended, advice.decision.rule) == (Way.CHANGE_NOTHING, 3)
    assert "The new model is worse than the old model: cmc@1 " in str(advice)
    assert "Do not upgrade." in str(advice)


def test_a_model_of_noise_is_not_recommended():
    noise = np.random.default_rng(0).normal(size=(100, 7))
    advice = advised(new=noise, **GALLERY)
    assert (advice.recommended, advice.decision.rule) == (Way.CHANGE_NOTHING, 3)


@pytest.mark.parametrize("labels", [None, LABELS[ITEMS]])
def test_the_same_model_twice_is_noticed(labels):
    turned = 3 * OLD[ITEMS] @ rotation_matrix(np.random.default_rng(0), 16)
    advice = advised(new=turned, labels=labels)
    assert (advice.recommended, advice.same_space, advice.decision.rule) == (Way.CHANGE_NOTHING, True, 1)
    assert "The old model and the new model are one space, at most turned: the cosines" in str(advice)
    assert "worse" not in str(advice)


def test_a_fine_difference_between_two_models_is_no_same_space():
    rng = np.random.default_rng(0)
    labels = np.arange(120) // 4
    cluster, centres, fine = rng.integers(0, 10, 30)[labels], rng.normal(size=(10, 16)), rng.normal(size=(30, 16))
    old = np.hstack([centres[cluster], 0.08 * rng.normal(size=(120, 16))])
    new = np.hstack([centres[cluster], 0.08 * (fine[labels] + 0.3 * rng.normal(size=(120, 16)))])
    advice = advised(old=old, new=new, labels=labels)
    assert (advice.recommended, advice.same_space) == (Way.RE_EMBED, False)


def test_a_model_as_good_as_the_old_one_is_no_reason_to_upgrade():
    old, new, labels = collection(200, old_noise=0.3, new_noise=0.3)
    advice = advised(old=old, new=new, labels=labels, worthwhile=0.1)
    assert (advice.recommended, advice.decision.rule) == (Way.CHANGE_NOTHING, 4)
    assert "The new model is not shown to be better, and is not better by 10 points: cmc@1 " in str(advice)


def test_too_little_can_not_tell_and_says_how_much_would():
    old, new, labels = collection(40, old_noise=0.6, new_noise=0.55, classes=5, dimension=4)
    advice = advised(old=old, new=new, labels=labels)
    assert (advice.recommended, advice.decision.rule) == (None, 5)
    assert "Advice: these data can't tell; until they can, change nothing." in str(advice)
    needed = advice.decision.needed
    assert needed > 40
    assert " on 40 labelled queries of 5 labels.\n" in str(advice)
    assert f"about {needed:,} labelled queries of about {needed * 5 // 40:,} labels would tell." in str(advice)


def test_what_is_better_but_may_not_be_worth_it_can_not_tell():
    advice = advised(worthwhile=0.75)
    gain = advice.option(Way.RE_EMBED).difference
    assert 0 < gain.low < 0.75 < gain.high
    assert (advice.recommended, advice.decision.rule) == (None, 5)
    assert "The new model is better, but is not shown to be so by the 75 points that would be worth it: cmc@1 " in (
        str(advice)
    )


def test_fewer_than_five_labels_say_nothing_of_others():
    rows = LABELS[ITEMS] < 4
    advice = advised(old=OLD[ITEMS][rows], new=NEW[ITEMS][rows], labels=LABELS[ITEMS][rows])
    assert advice.labels == 4
    assert "Note: the queries have 4 labels only, so that all this holds for these and says nothing of others." in (
        str(advice)
    )
    assert "or over labels" not in str(advice)
    rows = LABELS[ITEMS] < 5
    advice = advised(old=OLD[ITEMS][rows], new=NEW[ITEMS][rows], labels=LABELS[ITEMS][rows])
    assert " over queries or over labels, whichever are wider; that of the upgrade" in str(advice)


def test_fewer_items_than_folds_need_leave_maps_out_with_a_reason():
    advice = advised(old=OLD[:19], new=NEW[:19], labels=LABELS[:19] % 3)
    assert advice.option(Way.MAP_GALLERY).why_not == "19 items are fewer than the 20 that a map is chosen by"
    assert advice.option(Way.MAP_GALLERY).quality is None
    assert advice.option(Way.RE_EMBED).quality is not None


def test_fewer_items_than_dimensions_are_said_not_refused():
    rng = np.random.default_rng(0)
    advice = advised(old=rng.normal(size=(30, 64)), new=rng.normal(size=(30, 50)), labels=np.arange(30) % 3)
    assert "Note: 30 items are fewer than the 64 dimensions: maps rest on little" in str(advice)


def test_without_labels_agreement_is_told_and_nothing_is_recommended():
    advice = advised(labels=None)
    assert (advice.recommended, advice.decision.rule, advice.queries) == (None, 2, 0)
    option = advice.option(Way.MAP_GALLERY)
    assert option.agreement
    assert not option.shown_better
    assert "label some of the items" in str(advice)
    assert "search finds the item that the new model finds first in " in str(advice)


def test_labelled_queries_tell_of_maps_even_if_items_have_no_labels():
    advice = advised(labels=None, **GALLERY, **QUERIES)
    assert (advice.recommended, advice.decision.rule) == (None, 2)
    assert "But mapping new queries into the old space is shown to be better than changing nothing, +" in str(advice)
    assert "Note: the items have no labels, so that both models can't be compared among them" in str(advice)


def test_labels_that_nothing_shares_can_not_tell():
    advice = advised(labels=np.arange(100))
    assert (advice.recommended, advice.decision.rule) == (None, 2)
    assert "no two items share a label" in advice.reasons[0]
    assert "label some of the items" not in str(advice)
    few = {"old": OLD[:30], "new": NEW[:30], "labels": LABELS[:30]}
    others = {**QUERIES, "query_labels": LABELS[ASKING] + 100}
    assert "no item has the label of a query" in advised(**few, **others).reasons[0]


def test_few_copies_are_told_and_counted():
    copies = np.r_[0:95, 0:5]
    advice = advised(old=OLD[copies], new=NEW[copies], labels=LABELS[copies])
    assert "Note: 10 items are there more than once, in both models: each copy counts." in str(advice)


def test_the_numbers_go_through_json_and_the_same_call_says_the_same(searched):
    told = searched.to_dict()
    assert json.loads(json.dumps(told, allow_nan=False)) == told
    assert (told["recommended"], told["code"]) == ("map new queries", "map-queries")
    assert [option["code"] for option in told["options"]] == [
        "change-nothing", "map-queries", "blend-queries", "map-gallery", "train", "re-embed",
    ]  # fmt: skip
    assert [option["way"] for option in told["options"]] == [str(way) for way in Way]
    few = {"old": OLD[:30], "new": NEW[:30], "labels": None}
    again = advised(**few).to_dict()
    assert advised(**few).to_dict() == again
    assert (again["recommended"], again["code"]) == (None, "undecided")


def test_a_notebook_shows_a_table_and_escapes_names():
    advice = advised(names=("<b>old</b>", "v2"))
    assert "<table>" in advice._repr_html_()
    assert "<b>" not in advice._repr_html_()
    assert "\nv2 is better: " in str(advice)


def test_steps_are_told():
    steps = []
    advised(labels=None, old=OLD[:30], new=NEW[:30], progress=lambda step, done: steps.append((step, done)))
    assert [step for step, _ in steps] == [
        "measuring both models", "trying to map new queries", "trying to map the gallery",
        "trying to blend mapped and old queries",
    ]  # fmt: skip
    assert [done for _, done in steps] == [0, 0.25, 0.5, 0.75]


MISTAKES = {
    "old has 100 rows and new has 99; pass the same items in the same order, row i of both being item i": {
        "new": NEW[:99]
    },
    "new has 1 row with NaN or infinite numbers, first at row 3; remove these rows or embed them again": {
        "new": np.where(np.arange(100)[:, None] == 3, np.nan, NEW[ITEMS])
    },
    "old holds the same vector in all 100 rows; pass the vectors of different items": {"old": np.ones((100, 4))},
    "labels has 3 labels and old 100 rows; pass one label for each row, in the same order": {"labels": [1, 2, 3]},
    "queries_new is missing; pass queries_old, queries_new and query_labels, or none of them": {
        "queries_old": OLD[ASKING]
    },
    "queries_new has 4 dimensions and new has 16; embed both with the new model": {
        **QUERIES, "queries_new": NEW[ASKING, :4]
    },
    "queries_old has 300 rows and queries_new has 9; pass the same queries in the same order": {
        **QUERIES, "queries_new": NEW[:9]
    },
    "gallery_old is given without gallery_labels; pass both, or neither": {"gallery_old": OLD[STORED]},
    "gallery_labels is given without gallery_old; pass both, or neither": {"gallery_labels": LABELS[STORED]},
    "gallery_old has 4 dimensions and the old model's pairs have 16; pass what the old model stored": {
        **GALLERY, "gallery_old": OLD[STORED, :4]
    },
    "gallery_old is given, and no query has labels; pass labels, or queries with query_labels": {
        **GALLERY, "labels": None
    },
    "labels holds int64 values and gallery_labels text values; pass one type for both": {
        **GALLERY, "gallery_labels": LABELS[STORED].astype(str)
    },
    "100 of the 100 vectors of old stand in gallery_old as well, where each would find itself; leave them out of "
    "gallery_old": {"gallery_old": OLD, "gallery_labels": LABELS},
    "100 of the 100 vectors of queries_old stand in old as well, where each would find itself; leave them out of old": {
        "queries_old": OLD[ITEMS], "queries_new": NEW[ITEMS], "query_labels": LABELS[ITEMS]
    },
    "measure 'cmc@99' looks at the 99 nearest, and a query searches 99 items, so that any model finds all; pass a "
    "smaller rank, or more items": {"measure": "cmc@99"},
    "labels holds the single class 3, and a map is judged by how well classes are told apart; pass items of at least "
    "two classes": {"labels": np.full(100, 3)},
    "100 of the 100 rows of old are there more than once, and in new as well, where copies find each other and count "
    "as if they were more; pass each item once": {
        "old": np.repeat(OLD[:50], 2, axis=0), "new": np.repeat(NEW[:50], 2, axis=0)
    },
    "60 of the 60 rows of queries_old are there more than once, and in queries_new as well, where copies find each "
    "other and count as if they were more; pass each item once": {
        name: np.repeat(values[:3], 20, axis=0) for name, values in QUERIES.items() if name != "query_labels"
    } | {"query_labels": np.repeat(LABELS[ASKING][:3], 20)},
    "gallery_size is 99 and old holds 100 items; pass how many are stored in all, these among them": {
        "gallery_size": 99
    },
    "gallery_size is 300 and old and gallery_old hold 400 items; pass how many are stored in all, these among them": {
        **GALLERY, "gallery_size": 300
    },
    "keep is 50; pass a number from 0 to 1": {"keep": 50},
    "worthwhile is -0.1; pass a finite number of 0 or more": {"worthwhile": -0.1},
    "worthwhile is 2; pass a number from 0 to 1": {"worthwhile": 2},
    "gallery_size is 0; pass a whole number from 1 on": {"gallery_size": 0},
    "seconds_per_item is 0; pass a finite number above 0": {"seconds_per_item": 0},
    "folds is 1; pass a whole number from 2 on": {"folds": 1},
    "confidence is 95; pass a number between 0 and 1, such as 0.95": {"confidence": 95},
}  # fmt: skip


@pytest.mark.parametrize("said", MISTAKES)
def test_a_mistake_is_told_in_a_sentence(said):
    with pytest.raises(InputError) as raised:
        advised(**MISTAKES[said])
    assert str(raised.value) == said
