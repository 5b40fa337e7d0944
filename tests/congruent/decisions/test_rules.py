"""The update rules: by hand, against a loop, and what must hold of them whatever the data."""

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from segue.congruent.decisions import (
    Confusion,
    CostRatio,
    Majority,
    MaxBelief,
    MaxBeliefMinEntropy,
    PredictionStore,
    Replace,
)
from segue.errors import InputError
from tests.congruent.decisions.slow import slow_confusion, slow_label, slow_posterior
from tests.congruent.decisions.test_posterior import series

RULES = {
    "replace": Replace(),
    "majority": Majority(),
    "mb": MaxBelief(),
    "mbme": MaxBeliefMinEntropy(),
    "cr": CostRatio(2.5),
}


@pytest.mark.parametrize("name", RULES)
@settings(max_examples=40, deadline=None)
@given(drawn=series())
def test_a_rule_agrees_with_a_loop_over_samples(name, drawn):
    classes, labels, known, answers = drawn
    fast = [Confusion.fit(labels, said, classes=range(classes)) for said in known]
    slow = [slow_confusion(labels, said, range(classes), 1.0) for said in known]
    store = PredictionStore.create(np.arange(len(answers[0])), answers[0], fast[0])
    stored = list(answers[0])
    for place in range(1, len(answers)):
        store.update(store.ids, answers[place], fast[place], rule=RULES[name])
        for sample, label in enumerate(stored):
            said = [one[sample] for one in answers[: place + 1]]
            before = slow_posterior(said[:-1], slow[:place], range(classes))
            after = slow_posterior(said, slow[: place + 1], range(classes))
            close = [p for p in after.values() if abs(p - max(after.values())) < 1e-9]
            assume(len(close) == 1)  # which of two equal classes comes first is not the rule's matter
            stored[sample] = slow_label(name, label, said, before, after, ratio=2.5)
        assert store.labels.tolist() == stored


def one_sample(rule, *answers, matrix=((0.8, 0.1, 0.1), (0.1, 0.8, 0.1), (0.1, 0.1, 0.8))):
    confusion = Confusion(np.arange(3), np.array(matrix), np.full(3, 9))
    store = PredictionStore.create(["x"], [answers[0]], confusion)
    for answer in answers[1:]:
        store.update(["x"], [answer], confusion, rule=rule)
    return store.labels.tolist()[0]


def test_each_rule_on_a_sample_that_changes_its_mind():
    # after 0, 1 both classes are equally probable; after 0, 1, 1 the second is 8 times as probable
    assert one_sample(Replace(), 0, 1) == 1
    assert one_sample(MaxBelief(), 0, 1) == 0
    assert one_sample(MaxBelief(), 0, 1, 1) == 1
    assert one_sample(MaxBeliefMinEntropy(), 0, 1) == 0
    assert one_sample(MaxBeliefMinEntropy(), 0, 1, 1) == 1
    assert one_sample(CostRatio(7.9), 0, 1, 1) == 1
    assert one_sample(CostRatio(8.0), 0, 1, 1) == 0  # 8 times is not more than 8 times
    assert one_sample(CostRatio(8.0), 0, 1, 1, 1) == 1
    assert one_sample(Majority(), 0, 1) == 0
    assert one_sample(Majority(), 0, 1, 1) == 1
    assert one_sample(Majority(), 0, 1, 2) == 0
    assert one_sample(Majority(), 0, 1, 1, 0) == 1


def test_less_certainty_keeps_the_label_only_where_certainty_counts():
    # class 1 becomes the most probable, and the belief less certain than it was of class 0
    sure = Confusion(np.arange(2), np.array([[0.95, 0.05], [0.05, 0.95]]), np.full(2, 9))
    surer = Confusion(np.arange(2), np.array([[0.97, 0.03], [0.03, 0.97]]), np.full(2, 9))
    for rule, label in ((MaxBelief(), 1), (MaxBeliefMinEntropy(), 0)):
        store = PredictionStore.create(["x"], [0], sure)
        store.update(["x"], [1], surer, rule=rule)
        assert store.labels.tolist() == [label]


def test_the_comparison_is_with_the_stored_label_and_not_with_the_former_favourite():
    # Kept at 0 by a large ratio while the belief moved on to 1, the label must be held against its own probability.
    matrix = np.array([[0.8, 0.1], [0.2, 0.9]])
    confusion = Confusion(np.arange(2), matrix, np.full(2, 9))
    store = PredictionStore.create(["x"], [0], confusion)
    store.update(["x"], [1], confusion, rule=CostRatio(1000))
    store.update(["x"], [1], confusion, rule=CostRatio(1000))
    assert store.labels.tolist() == [0]  # the belief in 1 is 2.5 times that in 0
    assert store.posterior[0].argmax() == 1
    # the next answer is 1 again: before and after, 1 is the favourite, and a rule that compares favourites stays
    store.update(["x"], [1], confusion, rule=CostRatio(5))
    assert store.labels.tolist() == [1]


@settings(max_examples=40, deadline=None)
@given(series(), st.lists(st.floats(1, 100), min_size=2, max_size=2))
def test_a_higher_cost_changes_no_more_labels(drawn, ratios):
    classes, labels, known, answers = drawn
    assume(len(answers) > 1)
    changed = []
    for ratio in sorted(ratios):
        confusions = [Confusion.fit(labels, said, classes=range(classes)) for said in known]
        store = PredictionStore.create(np.arange(len(answers[0])), answers[0], confusions[0])
        update = store.update(store.ids, answers[1], confusions[1], rule=CostRatio(ratio))
        changed.append(set(update.ids.tolist()))
    assert changed[1] <= changed[0]


@settings(max_examples=40, deadline=None)
@given(series())
def test_a_ratio_of_one_is_max_belief(drawn):
    classes, labels, known, answers = drawn
    found = []
    for rule in (CostRatio(1), MaxBelief()):
        confusions = [Confusion.fit(labels, said, classes=range(classes)) for said in known]
        store = PredictionStore.create(np.arange(len(answers[0])), answers[0], confusions[0])
        for said, confusion in zip(answers[1:], confusions[1:], strict=True):
            store.update(store.ids, said, confusion, rule=rule)
        found.append(store.labels.tolist())
    assert found[0] == found[1]


@pytest.mark.parametrize("ratio", [0.5, 0, -1, float("inf"), float("nan")])
def test_a_ratio_that_prefers_breaking_is_refused(ratio):
    with pytest.raises(InputError) as error:
        CostRatio(ratio)
    assert str(error.value) == f"ratio is {ratio}; pass how many mended answers a broken one costs, 1 or more"


def test_rules_say_what_they_do():
    assert [str(rule) for rule in RULES.values()] == [
        "take the newest answer",
        "take the answer that most generations gave",
        "take the most probable class",
        "take the most probable class where the new answer made the belief more certain",
        "change a label when another is more than 2.5 times as probable",
    ]
