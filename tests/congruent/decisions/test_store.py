"""The store: what it keeps, what a budgeted round touches, classes that change, and what it refuses."""

import numpy as np
import pandas as pd
import pytest

from segue.congruent.decisions import (
    Confusion,
    CostRatio,
    DiagonalConfusion,
    Majority,
    MaxBelief,
    PredictionStore,
    Replace,
)
from segue.errors import InputError

CLASSES = ["cat", "dog", "eel"]
WEAK = Confusion(np.array(CLASSES), np.full((3, 3), 0.2) + 0.4 * np.eye(3), np.full(3, 10))
STRONG = Confusion(np.array(CLASSES), np.full((3, 3), 0.01) + 0.97 * np.eye(3), np.full(3, 100))


def four():
    return PredictionStore.create(["a", "b", "c", "d"], ["cat", "dog", "eel", "cat"], WEAK, name="v1")


def test_a_round_on_some_samples_leaves_the_others():
    store = four()
    before = store.posterior
    update = store.update(["c", "a"], ["cat", "cat"], STRONG, rule=CostRatio(10), name="v2")
    assert store.labels.tolist() == ["cat", "dog", "cat", "cat"]
    assert (update.ids.tolist(), update.old.tolist(), update.new.tolist()) == (["c"], ["eel"], ["cat"])
    assert (update.answered, update.disagreed, update.changed, update.samples) == (2, 1, 1, 4)
    assert store.posterior[[1, 3]] == pytest.approx(before[[1, 3]])
    # c: 0.2 * 0.98, 0.2 * 0.01, 0.6 * 0.01
    assert store.posterior[2] == pytest.approx(np.array([0.196, 0.002, 0.006]) / 0.204)
    assert store.generation == 2


def test_the_most_uncertain_are_asked():
    store = four()
    store.update(["a", "b"], ["cat", "dog"], STRONG)
    assert set(store.select(2).tolist()) == {"c", "d"}
    assert len(store.select(100)) == 4
    assert store.select(3, seed=5).tolist() == store.select(3, seed=5).tolist()


def test_what_is_told():
    store = four()
    update = store.update(["a", "c"], ["cat", "cat"], STRONG, name="v2")
    assert str(update) == (
        "Generation 2 (v2) answered 2 of 4 samples and differs from the stored label on 1. By the rule to change a "
        "label when another is more than 10 times as probable, 1 stored label changes. Mean uncertainty of the "
        "answered samples: 0.950 nats before, 0.116 now."
    )
    found = update.to_dict()
    assert found["changed"] == 1
    assert found["schema"] == "segue.congruent.decisions.update/1"
    assert str(four()) == (
        "4 stored predictions of 3 classes after 1 generation; last: created (v1). Mean probability of the stored "
        "labels: 0.600."
    )
    assert [event["event"] for event in store.history] == ["created", "updated"]


def test_what_is_given_out_is_a_copy():
    store = four()
    for values in (store.ids, store.labels, store.classes, store.posterior):
        values[...] = values[0]
    store.history[0]["name"] = "else"
    assert store.ids.tolist() == ["a", "b", "c", "d"]
    assert store.labels.tolist() == ["cat", "dog", "eel", "cat"]
    assert store.classes.tolist() == CLASSES
    assert store.history[0]["name"] == "v1"


def test_numbers_as_ids_and_classes_and_columns_of_pandas():
    confusion = DiagonalConfusion.fit(pd.Series([3, 3, 7, 7]), pd.Series([3, 3, 7, 7]))
    store = PredictionStore.create(pd.Series([10, 30, 20]), pd.Series([3, 7, 3]), confusion)
    store.update([20, 30], [7, 7], confusion, rule=Replace())
    assert dict(zip(store.ids.tolist(), store.labels.tolist(), strict=True)) == {10: 3, 30: 7, 20: 7}


def test_new_samples_are_added_on_purpose_only():
    store = four()
    store.add(["e", "f"], ["eel", "dog"], STRONG)
    assert (len(store), store.generation) == (6, 1)
    assert store.labels.tolist() == ["cat", "dog", "eel", "cat", "eel", "dog"]
    assert store.posterior[4] == pytest.approx([0.01, 0.01, 0.98])
    store.update(["f", "a"], ["cat", "dog"], STRONG, rule=Majority())
    assert store.labels.tolist() == ["cat", "dog", "eel", "cat", "eel", "dog"]


class TestClassesThatChange:
    def test_a_new_class_is_as_probable_as_ignorance_allows(self):
        store = four()
        store.change_classes({name: name for name in CLASSES}, classes=[*CLASSES, "fox"])
        assert store.classes.tolist() == ["cat", "dog", "eel", "fox"]
        assert store.labels.tolist() == ["cat", "dog", "eel", "cat"]
        # cat was answered: 0.6, 0.2, 0.2, and a third for a class of which nothing is known
        assert store.posterior[0] == pytest.approx(np.array([0.6, 0.2, 0.2, 1 / 3]) / (1 + 1 / 3))
        four_classes = Confusion.fit([*CLASSES, "fox"] * 50, [*CLASSES, "fox"] * 50)
        store.update(["a", "b"], ["fox", "dog"], four_classes)
        assert store.labels.tolist() == ["fox", "dog", "eel", "cat"]

    def test_a_split_class_keeps_what_is_known_of_it(self):
        store = four()
        store.change_classes({"cat": ["lion", "tiger"], "dog": "dog", "eel": "eel"})
        assert store.classes.tolist() == ["dog", "eel", "lion", "tiger"]
        assert store.labels.tolist() == ["lion", "dog", "eel", "lion"]
        assert store.posterior[0] == pytest.approx(np.array([0.2, 0.2, 0.6, 0.6]) / 1.6)

    def test_merged_classes_share_their_mean(self):
        store = four()
        store.change_classes({"cat": "pet", "dog": "pet", "eel": "eel"})
        assert store.labels.tolist() == ["pet", "pet", "eel", "pet"]
        assert store.posterior[0] == pytest.approx(np.array([0.2, 0.4]) / 0.6)

    def test_a_renamed_class_and_one_that_is_gone(self):
        store = four()
        store.update(["c"], ["cat"], STRONG)
        store.change_classes({"cat": "feline", "dog": "dog", "eel": []}, classes=["dog", "feline"])
        assert store.labels.tolist() == ["feline", "dog", "feline", "feline"]
        assert store.posterior[0] == pytest.approx([0.25, 0.75])

    def test_votes_move_with_their_class(self):
        store = four()
        store.change_classes({"cat": "feline", "dog": "dog", "eel": "eel"})
        renamed = Confusion.fit(["dog", "eel", "feline"] * 9, ["dog", "eel", "feline"] * 9)
        store.update(["a"], ["dog"], renamed, rule=Majority())
        assert store.labels.tolist()[0] == "feline"
        store.update(["a"], ["dog"], renamed, rule=Majority())
        assert store.labels.tolist()[0] == "dog"

    @pytest.mark.parametrize(
        ("class_map", "given", "said"),
        [
            (
                {"cat": "cat"},
                {},
                "class_map lacks 'dog', 'eel'; map every old class to a new one, or to [] if it is gone",
            ),
            (
                {"cat": "cat", "dog": "dog", "eel": "eel", "fox": "fox"},
                {},
                "class_map names 'fox', which the old classes ('cat', 'dog', 'eel') do not hold; remove it or correct "
                "the spelling",
            ),
            (
                {"cat": "cat", "dog": "dog", "eel": []},
                {},
                "class_map drops 'eel', which is a stored label; map it to the class that takes its place",
            ),
            (
                {"cat": 1, "dog": 2, "eel": 3},
                {"classes": ["1", "2", "3"]},
                "class_map holds integers but the known classes are strings; write both in the same way",
            ),
            ({}, {}, "class_map must be a mapping {old class: new class or list of new classes} and not empty"),
        ],
    )
    def test_mistakes_are_told_and_change_nothing(self, class_map, given, said):
        store = four()
        with pytest.raises(InputError) as error:
            store.change_classes(class_map, **given)
        assert str(error.value) == said
        assert store.classes.tolist() == CLASSES

    def test_a_prior_must_be_given_anew(self):
        store = PredictionStore.create([1], ["cat"], WEAK, prior={"cat": 2, "dog": 1, "eel": 1})
        same = {name: name for name in CLASSES}
        with pytest.raises(InputError, match="pass prior= for the new ones"):
            store.change_classes(same)
        store.change_classes(same, prior={"cat": 1, "dog": 1, "eel": 2})
        assert store.posterior[0] == pytest.approx(np.array([0.6, 0.2, 0.4]) / 1.2)


def other_classes():
    return Confusion.fit(["cat", "dog"], ["cat", "dog"])


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda s: s.update(["a", "x", "y"], ["cat"] * 3, WEAK),
         "2 of the 3 ids ('x', 'y') are not in the store; leave them out, or add them with add()"),
        (lambda s: s.update(["a", "a"], ["cat"] * 2, WEAK),
         "ids repeats 1 value ('a'); every sample needs an id of its own"),
        (lambda s: s.update([1, 2], ["cat"] * 2, WEAK),
         "ids are integers but those of the store are strings; write them in the same way"),
        (lambda s: s.update(["a"], ["cat", "dog"], WEAK),
         "the arrays differ in length: ids has 1, answers has 2; pass one value per sample in the same "
         "order"),
        (lambda s: s.update(["a"], [None], WEAK),
         "answers has 1 missing value (None or NaN), first at position 0; remove these samples from all "
         "arrays or give them a value"),
        (lambda s: s.update([], [], WEAK), "ids is empty; there is nothing to compare"),
        (lambda s: s.update(["a"], ["cat"], other_classes()),
         "the confusion lacks 'eel' of the store's classes; estimate it with classes=store.classes"),
        (lambda s: s.update(["a"], ["cat"], Confusion.fit(["fox"] * 2, ["fox"] * 2, classes=[*CLASSES, "fox"])),
         "the confusion knows 'fox', which the store does not; tell the store of its new classes with "
         "change_classes()"),
        (lambda s: s.update(["a"], ["cat"], WEAK, name="v1"),
         "name is 'v1', and a model of this name has answered already; its answers must not count twice, "
         "so give another model another name"),
        (lambda s: s.update([0.5], ["cat"], WEAK),
         "ids has shape (1,) and type float64; pass one integer or string per sample"),
        (lambda s: s.add(["a", "z"], ["cat"] * 2, WEAK),
         "1 id ('a') is in the store; add() takes new samples only, update() the others"),
        (lambda s: s.select(0),
         "budget is 0; pass how many samples can be re-evaluated, a whole number above 0"),
        (lambda s: s.select(0.3),
         "budget is 0.3; pass how many samples can be re-evaluated, a whole number above 0"),
        (lambda s: PredictionStore.create(["a", "a"], ["cat"] * 2, WEAK),
         "ids repeats 1 value ('a'); every sample needs an id of its own"),
        (lambda s: PredictionStore.create(["a"], ["cat"], WEAK, prior={"cat": 1}),
         "prior must be a mapping with the frequency of every class, and of no other"),
        (lambda s: PredictionStore.create(["a"], ["cat"], WEAK, prior={"cat": 1, "dog": 0, "eel": 1}),
         "prior has a frequency that is not above 0; a class without any could never be believed"),
    ],
)  # fmt: skip
def test_mistakes_are_told_and_change_nothing(call, said):
    store = four()
    with pytest.raises(InputError) as error:
        call(store)
    assert str(error.value) == said
    assert store.posterior == pytest.approx(four().posterior)
    assert store.history == four().history


def test_answers_out_of_the_order_of_their_ids_are_refused():
    store = PredictionStore.create(["a", "b"], ["cat", "dog"], WEAK)
    ids, answers = pd.Series(["a", "b"], index=[0, 1]), pd.Series(["dog", "cat"], index=[1, 0])
    with pytest.raises(InputError, match="the indices of ids and answers differ"):
        store.update(ids, answers, WEAK, rule=MaxBelief())
