"""``fit_best``: what it measures, that the choice does not flatter itself, and what it says."""

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from segue.adapters import KernelRidge, LowRankAffine, Procrustes, Ridge, Slerp, fit_best
from segue.adapters.best import _cross_fitted
from segue.adapters.candidates import blended_maps, gallery_maps, labelled_maps, query_maps
from segue.adapters.folds import folds_of
from segue.adapters.trial import Trial
from segue.errors import InputError
from segue.retrieval import Compatible, mean_difference, mean_over_queries
from tests.adapters.spaces import rotation_matrix, to_unit
from tests.retrieval.slow import ranking

MAPS = [Procrustes(), Ridge(strength=0.1)]


def spaces(seed=0, count=90, classes=6, dimension=6, old_noise=1.0, new_noise=0.3):
    """Items of some classes: the new model tells them apart, the old one less so."""
    rng = np.random.default_rng(seed)
    labels = np.arange(count) % classes
    centres = rng.normal(size=(classes, dimension))
    shown = centres[labels] + new_noise * rng.normal(size=(count, dimension))
    old = (shown + old_noise * rng.normal(size=shown.shape)) @ rotation_matrix(rng, dimension)
    return old.astype(np.float32), shown.astype(np.float32), labels


def trial_of(old, new, labels, side="queries", folds=3, measure="cmc@1", gallery=None, gallery_labels=None, both=False):
    return Trial(
        old=to_unit(old).astype(np.float32), new=to_unit(new).astype(np.float32), side=side,
        folds=folds_of(len(old), folds, 0), measure=measure, labels=labels, gallery=gallery,
        gallery_labels=gallery_labels, both_encoders=both,
    )  # fmt: skip


def found_by_loop(queries, gallery, wanted, held, own):
    """cmc@1 of each query, by ranking the gallery one by one."""
    found = []
    for row, query in enumerate(queries):
        order = [place for _, place in ranking(query, gallery, "cosine", own=row if own else -1)]
        relevant = [place for place in order if held[place] == wanted[row]]
        found.append(float("nan") if not relevant else float(order[0] == relevant[0]))
    return found


@pytest.mark.parametrize("side", ["queries", "gallery", "blended"])
@pytest.mark.parametrize("stored", [False, True])
def test_each_query_goes_through_a_map_that_was_fitted_without_it(side, stored):
    old, new, labels = spaces(count=48)
    rng = np.random.default_rng(1)
    gallery, held = rng.normal(size=(20, 6)), rng.integers(0, 6, 20)
    inside = {"gallery": gallery, "gallery_labels": held} if stored else {}
    adapter = Slerp(adapter=Ridge(strength=0.1)) if side == "blended" else Ridge(strength=0.1)
    trial = trial_of(old, new, labels, "gallery" if side == "gallery" else "queries", both=side == "blended", **inside)
    wanted = np.full(48, np.nan)
    for fold in trial.folds:
        rest = [row for row in range(48) if row not in fold]
        items, item_labels = (gallery, held) if stored else (old[fold], labels[fold])
        if side == "gallery":
            queries, items = new[fold], Ridge(strength=0.1).fit(old[rest], new[rest]).transform(items)
        elif side == "queries":
            queries = Ridge(strength=0.1).fit(new[rest], old[rest]).transform(new[fold])
        else:
            queries = Slerp(adapter=Ridge(strength=0.1)).fit(new[rest], old[rest]).blend(new[fold], old[fold])
        wanted[fold] = found_by_loop(queries, items, labels[fold], item_labels, own=not stored)
    np.testing.assert_array_equal(trial.of(adapter), wanted)


def test_the_old_and_the_new_model_are_measured_in_the_same_folds():
    old, new, labels = spaces(count=48)
    trial = trial_of(old, new, labels)
    for vectors, values in ((old, trial.of_old()), (new, trial.of_new())):
        wanted = np.full(48, np.nan)
        for fold in trial.folds:
            wanted[fold] = found_by_loop(vectors[fold], vectors[fold], labels[fold], labels[fold], own=True)
        np.testing.assert_array_equal(values, wanted)


def test_without_labels_the_new_models_nearest_item_is_to_be_found():
    old, new, _ = spaces(count=48)
    trial = trial_of(old, new, None)
    np.testing.assert_array_equal(trial.of_new(), np.ones(48))
    wanted = np.empty(48)
    for fold in trial.folds:
        for row, place in enumerate(fold):
            best = ranking(new[place], new[fold], "cosine", own=row)[0][1]
            wanted[place] = ranking(old[place], old[fold], "cosine", own=row)[0][1] == best
    np.testing.assert_array_equal(trial.of_old(), wanted)


def test_no_fold_is_measured_on_a_map_that_was_chosen_with_it():
    # Candidate 0 is perfect where folds 0 and 2 are the queries, candidate 1 where 1 and 3 are. Chosen on the one half,
    # each fails on the other, though both have a mean of a half.
    folds = [np.arange(start, 40, 4) for start in range(4)]
    values = np.zeros((2, 40))
    for fold, rows in enumerate(folds):
        values[fold % 2, rows] = 1.0
    np.testing.assert_array_equal(_cross_fitted(values, folds), np.zeros(40))
    # one that is best on both halves is measured as it is
    steady = np.vstack([values, np.full(40, 0.75)])
    np.testing.assert_array_equal(_cross_fitted(np.vstack([steady[2], 0 * steady[0]]), folds), np.full(40, 0.75))


def test_the_best_of_many_maps_of_noise_is_not_taken_for_better_by_its_choice():
    # Labels that mean nothing: every map is right once in three. The best of many looks better than that; the estimate
    # of the choice must not.
    flattered, honest = [], []
    for seed in range(12):
        rng = np.random.default_rng(seed)
        old, new, labels = rng.normal(size=(60, 5)), rng.normal(size=(60, 5)), rng.integers(0, 3, 60)
        maps = [LowRankAffine(rank=rank) for rank in (1, 2, 3)] + [KernelRidge(width=w) for w in (0.2, 0.4, 0.8, 1.6)]
        choice = fit_best(new, old, side="queries", labels=labels, adapters=maps, folds=4)
        flattered.append(choice.tried[0].quality.value)
        honest.append(choice.new_old.value)
    assert np.mean(flattered) > 0.36
    assert abs(np.mean(honest) - 1 / 3) < 0.03 < np.mean(flattered) - np.mean(honest)


def test_the_choice_is_put_together_from_what_was_measured():
    old, new, labels = spaces()
    choice = fit_best(new, old, side="queries", labels=labels, adapters=MAPS, folds=3, confidence=0.9)
    trial = trial_of(old, new, labels)
    values = np.stack([trial.of(adapter) for adapter in MAPS])
    best = int(np.nanmean(values, axis=1).argmax())
    assert repr(choice.adapter) == repr(MAPS[best])
    assert choice.adapter.pairs == 90  # fitted on all
    through = _cross_fitted(values, trial.folds)
    np.testing.assert_array_equal(choice.per_query["new_old"], through)
    assert choice.new_old == mean_over_queries(through, confidence=0.9)
    assert choice.old_old == mean_over_queries(trial.of_old(), confidence=0.9)
    assert choice.new_new == mean_over_queries(trial.of_new(), confidence=0.9)
    assert choice.criterion == mean_difference(trial.of_old(), through, confidence=0.9)
    assert [pairs for pairs, _ in choice.curve] == [15, 30, 60]
    assert choice.curve[-1][1] == mean_over_queries(values[best], confidence=0.9)
    assert choice.curve[0][1] == mean_over_queries(trial.of(MAPS[best], 0.25), confidence=0.9)
    assert [tried.quality.value for tried in choice.tried] == sorted(np.nanmean(values, axis=1), reverse=True)
    assert (choice.searched, choice.real_gallery, choice.more_pairs) == (29, False, 810)


def test_a_map_is_called_better_only_in_a_gallery():
    old, new, labels = spaces(count=800)
    pairs, rest = slice(0, 400), slice(400, None)
    given = {"side": "queries", "labels": labels[pairs], "adapters": [Procrustes()]}
    alone = fit_best(new[pairs], old[pairs], **given)
    assert alone.criterion.low > 0
    assert (alone.verdict, alone.recommended) == (Compatible.UNDECIDED, False)
    assert "in a larger gallery a map loses more: pass gallery and gallery_labels" in str(alone)
    searched = fit_best(new[pairs], old[pairs], **given, gallery=old[rest], gallery_labels=labels[rest])
    assert (searched.verdict, searched.recommended, searched.searched) == (Compatible.YES, True, 400)
    assert searched.new_new is None
    assert "The numbers support using it." in str(searched)


def test_a_map_that_harms_is_called_so_with_or_without_a_gallery():
    old, new, labels = spaces(count=400, old_noise=0.1)
    draws = np.random.default_rng(3).normal(size=new.shape)
    choice = fit_best(draws, old, side="queries", labels=labels, adapters=MAPS)
    assert (choice.verdict, choice.recommended) == (Compatible.NO, False)
    assert "It is worse than the old model: do not use it." in str(choice)


def test_too_little_is_not_called_either():
    old, new, labels = spaces(count=24, classes=3)
    choice = fit_best(old + 0.01 * new, old, side="queries", labels=labels, adapters=[Procrustes()], folds=2)
    assert choice.verdict is Compatible.UNDECIDED
    assert "It is not shown to be better than the old model: stay with the old queries and gallery" in str(choice)


def test_without_labels_nothing_is_recommended():
    old, new, _ = spaces(count=200, old_noise=2.0, new_noise=1.0)
    new = old + 0.1 * new
    old = old * [1, 1, 1, 4, 4, 4]  # what the map has to undo
    choice = fit_best(old, new, side="gallery", adapters=MAPS)
    assert choice.criterion.low > 0
    assert (choice.verdict, choice.recommended, choice.labelled) == (Compatible.UNDECIDED, False, False)
    assert "Whether the new model is better, these data can't tell; pass labels." in str(choice)


def test_its_words():
    old, new, labels = spaces()
    choice = fit_best(old, new, side="gallery", labels=labels, adapters=[Procrustes()], seconds_per_item=2)
    first, second, third = str(choice).splitlines()
    assert first == "The only map of the old gallery into the new space: Procrustes(center=True, unit=True)."
    assert second.startswith(f"cmc@1 through it is {choice.new_old.percent(1)} on held-out pairs, against ")
    assert f"(all re-embedded: {choice.new_new.percent(1)})" in second
    assert third.endswith("10 times as many pairs would take 810 more items to embed, about 27 min.")
    assert choice._repr_html_().startswith("<div><p>The only map of the old gallery")
    two = fit_best(new, old, side="queries", labels=labels, adapters=MAPS)
    assert str(two).startswith("Best of 2 maps of new queries into the old space: ")


def copied(seed=0, count=60, copies=3):
    """Each item several times, as in a table that was joined to another."""
    old, new, labels = spaces(seed=seed, count=count)
    return (np.repeat(rows, copies, axis=0) for rows in (old, new, labels))


def test_copies_share_a_fold_and_do_not_find_each_other():
    old, new, labels = copied()
    items = np.arange(180) // 3
    choice = fit_best(new, old, side="queries", labels=labels, adapters=MAPS, folds=3)
    assert (choice.repeated, choice.groups, choice.pairs) == (120, None, 180)
    # the same as a loop that searches each item once
    folds = folds_of(180, 3, 0, items)
    wanted = {"old_old": np.empty(180), "new_new": np.empty(180)}
    for fold in folds:
        once = fold[::3]
        np.testing.assert_array_equal(fold, (once[:, None] + np.arange(3)).ravel())
        for name, vectors in (("old_old", old), ("new_new", new)):
            found = found_by_loop(vectors[once], vectors[once], labels[once], labels[once], own=True)
            wanted[name][fold] = np.repeat(found, 3)
    for name, values in wanted.items():
        np.testing.assert_array_equal(choice.per_query[name], values)
    assert choice.criterion == mean_difference(wanted["old_old"], choice.per_query["new_old"], groups=items)
    assert choice.searched == min(map(len, folds)) // 3 - 1
    told = "\n120 pairs repeat source vectors of others: copies share a fold, and are a group to intervals.\n"
    assert told in str(choice)


def test_copies_make_a_map_no_better_and_no_surer():
    # A narrow kernel remembers the pairs: were copies dealt into different folds, it would be nearly perfect.
    draws = np.random.default_rng(0)
    old, new, labels = draws.normal(size=(40, 5)), draws.normal(size=(40, 5)), np.arange(40) % 4
    maps = [KernelRidge(width=0.1, strength=1e-3)]
    once = fit_best(new, old, side="queries", labels=labels, adapters=maps, folds=2)
    many = [np.repeat(rows, 5, axis=0) for rows in (new, old, labels)]
    often = fit_best(many[0], many[1], side="queries", labels=many[2], adapters=maps, folds=2)
    assert often.new_old.value < 0.45
    assert often.new_old.high - often.new_old.low > 0.8 * (once.new_old.high - once.new_old.low)


def test_without_labels_the_nearest_other_item_is_to_be_found():
    old, new, _ = copied()
    choice = fit_best(new, old, side="queries", adapters=MAPS, folds=3)
    np.testing.assert_array_equal(choice.per_query["new_new"], np.ones(180))
    assert choice.old_old.value < 0.9


def test_no_fold_parts_a_group_and_intervals_are_over_groups():
    # Twelve near copies of each of 12 items, in two spaces that share nothing: a narrow map knows an item again, and
    # has nothing to say of another.
    rng = np.random.default_rng(0)
    items = np.repeat(np.arange(12), 12)
    old, new = (rng.normal(size=(12, 6))[items] + 0.01 * rng.normal(size=(144, 6)) for _ in range(2))
    labels = np.arange(12)[items] % 4
    given = {"side": "queries", "labels": labels, "adapters": [KernelRidge(width=0.1, strength=1e-3)], "folds": 3}
    names = np.array([f"item {number:02}" for number in items])
    leaking, grouped = fit_best(new, old, **given), fit_best(new, old, groups=names, **given)
    assert leaking.new_old.value > 0.95
    assert grouped.new_old.value < 0.75
    assert (grouped.groups, grouped.repeated, grouped.searched) == (12, 0, 47)
    assert grouped.new_old == mean_over_queries(grouped.per_query["new_old"], groups=items)
    few = "12 groups (few enough that the intervals between them are rough)"
    assert f"\nThe 144 pairs come in {few}, which no fold parts.\n" in str(grouped)


def test_a_vector_in_two_groups_joins_them():
    old, new, labels = spaces(count=40)
    new[20], old[20] = new[0], old[0]
    choice = fit_best(new, old, side="queries", labels=labels, adapters=MAPS, groups=np.arange(40) // 2, folds=2)
    assert (choice.groups, choice.repeated) == (19, 1)
    assert "\nThe 40 pairs come in 19 groups (few enough" in str(choice)
    assert ". 1 pair repeats the source vector of another: copies share a fold" in str(choice)


def test_with_both_encoders_the_choice_blends():
    old, new, labels = spaces(count=120)
    choice = fit_best(new, old, side="queries", labels=labels, both_encoders=True, folds=3)
    assert isinstance(choice.adapter, Slerp)
    assert choice.adapter.blend(new[:2], old[:2]).shape == (2, 6)
    assert str(choice).startswith(f"Best of {len(blended_maps(120))} maps of new queries into the old space, blended")


def test_the_numbers_go_through_json_and_the_same_call_gives_the_same():
    old, new, labels = spaces()
    given = {"side": "gallery", "labels": labels, "seed": 4}
    one, other = (fit_best(old, new, **given).to_dict() for _ in range(2))
    assert json.loads(json.dumps(one, allow_nan=False)) == one == other
    assert len(one["tried"]) + len(one["failed"]) == len(gallery_maps(90)) + len(labelled_maps("gallery", 90))
    assert fit_best(old, new, **{**given, "seed": 5}).to_dict() != one


def test_a_map_that_has_no_place_for_these_pairs_is_told_and_left_out():
    rng = np.random.default_rng(0)
    choice = fit_best(rng.normal(size=(24, 1)), rng.normal(size=(24, 1)), side="queries", folds=2)
    assert len(choice.failed) + len(choice.tried) == len(query_maps(24))
    assert choice.failed
    assert "could not be tried, first DirectionAdjoint(" in str(choice)


def test_maps_that_were_asked_for_are_not_left_out():
    rows = np.vstack([np.arange(1, 24)[:, None] * np.ones(4), [[1, 2, 3, 4]]])  # one direction, and another
    with pytest.raises(InputError, match=r"^source holds the same vector in all 12 rows"):
        fit_best(rows, np.random.default_rng(0).normal(size=(24, 4)), side="queries", folds=2, adapters=MAPS)


@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 1000), folds=st.integers(2, 5), side=st.sampled_from(["queries", "gallery"]))
def test_the_choice_does_not_depend_on_lengths_and_folds_deal_every_pair_once(seed, folds, side):
    old, new, labels = spaces(seed=seed, count=30, classes=3)
    dealt = np.concatenate(folds_of(30, folds, seed))
    assert sorted(dealt.tolist()) == list(range(30))
    lengths = np.random.default_rng(seed).uniform(0.5, 2, size=(30, 1))
    source, target = (new, old) if side == "queries" else (old, new)
    one = fit_best(source, target, side=side, labels=labels, adapters=[Procrustes()], folds=folds)
    other = fit_best(source * lengths, target / lengths, side=side, labels=labels, adapters=[Procrustes()], folds=folds)
    assert one.new_old.value == pytest.approx(other.new_old.value, abs=2.1 / 30)


OLD, NEW, LABELS = spaces(count=40)
MISTAKES = {
    "side is 'both'; pass 'queries' (new queries are mapped) or 'gallery' (stored vectors are)": {"side": "both"},
    "both_encoders is for side='queries'; a mapped gallery is searched by new queries alone": {
        "side": "gallery",
        "both_encoders": True,
    },
    "there are 19 pairs; pass at least 20 to choose among maps with 5 folds, or fit one such as Procrustes() without a "
    "choice": {"source": NEW[:19], "target": OLD[:19], "labels": None},
    "there are 40 pairs; pass at least 42 to choose among maps with 21 folds, or fit one such as Procrustes() without "
    "a choice": {"folds": 21},
    "folds is 1; pass a whole number from 2 on": {"folds": 1},
    "seed is 'x'; pass a whole number from 0 on": {"seed": "x"},
    "seconds_per_item is -1; pass a finite number above 0": {"seconds_per_item": -1},
    "confidence is 95; pass a number between 0 and 1, such as 0.95": {"confidence": 95},
    "labels has 39 labels and source 40 rows; pass one label for each row, in the same order": {"labels": LABELS[:39]},
    "nothing is relevant to any pair; pass labels that several items share, or fewer folds": {"labels": range(40)},
    "measure 'cmc@7' looks at the 7 nearest, and a query searches 7, so that any map finds all; pass a smaller rank, "
    "or a gallery": {"measure": "cmc@7"},
    "adapters holds something else than adapters; pass a list of maps such as [Ridge()]": {"adapters": Ridge()},
    "adapters is empty; pass a list of maps such as [Ridge()], or leave it out": {"adapters": []},
    "adapters has maps with unit=False; fit_best searches by cosine: pass unit=True": {"adapters": [Ridge(unit=False)]},
    "adapters has maps that blend nothing; with both_encoders pass Slerp(adapter=...)": {
        "adapters": [Ridge()],
        "both_encoders": True,
    },
    "gallery_labels is given without gallery; pass the stored vectors, too": {"gallery_labels": LABELS},
    "gallery is given without labels or gallery_labels; pass both, or leave the gallery out": {"gallery": OLD},
    "gallery has 3 dimensions and the old model's pairs have 6; pass what the old model stored": {
        "gallery": OLD[:, :3],
        "gallery_labels": LABELS,
    },
    "gallery_labels has 2 labels and gallery 40 rows; pass one label for each row, in the same order": {
        "gallery": NEW,
        "gallery_labels": LABELS[:2],
    },
    "the arrays differ in length: source has 40, groups has 39; pass one value per sample in the same order": {
        "groups": range(39)
    },
    "groups holds a single group; intervals between groups need at least two": {"groups": [1] * 40},
    "groups leaves 4 sets of pairs to deal into 5 folds; pass more groups or fewer folds": {
        "groups": np.arange(40) % 4
    },
    "groups and repeated rows leave a fold with a single item; pass smaller groups, each pair once, or fewer folds": {
        "groups": np.arange(40).clip(35)
    },
    "there are 10 different rows of source; pass at least 20 to choose among maps with 5 folds, or fit one such as "
    "Procrustes() without a choice": {"source": np.tile(NEW[:10], (4, 1))},
    "labels holds the single class 3, and a map is judged by how well classes are told apart; pass items of at least "
    "two classes": {"labels": [3] * 40},
    "gallery_labels holds the single class cup, and a map is judged by how well classes are told apart; pass items of "
    "at least two classes": {"gallery": NEW, "labels": LABELS.astype(str), "gallery_labels": ["cup"] * 40},
    "labels holds int64 values and gallery_labels text values; pass one type for both": {
        "gallery": NEW,
        "gallery_labels": LABELS.astype(str),
    },
    "8 of the 40 vectors of the old model's pairs stand in gallery as well, where each would find itself; leave them "
    "out of gallery": {"gallery": np.vstack([NEW, 3 * OLD[:8]]), "gallery_labels": np.append(LABELS, LABELS[:8])},
    "source has 40 rows and target has 39; pass the same items in the same order, row i of both being item i": {
        "target": OLD[:39]
    },
    "target holds the same vector in all 40 rows; pass the vectors of different items": {"target": np.ones((40, 6))},
    "target has 1 row of zeros, first at row 3; a zero vector has no direction: remove these rows": {
        "target": np.where(np.arange(40)[:, None] == 3, 0, OLD)
    },
    "source has 1 row with NaN or infinite numbers, first at row 0; remove these rows or embed them again": {
        "source": np.vstack([np.full((1, 6), np.nan), NEW[1:]])
    },
}


@pytest.mark.parametrize("said", MISTAKES)
def test_a_mistake_is_told_in_a_sentence(said):
    given = {"source": NEW, "target": OLD, "side": "queries", "labels": LABELS, **MISTAKES[said]}
    with pytest.raises(InputError) as raised:
        fit_best(**given)
    assert str(raised.value) == said
