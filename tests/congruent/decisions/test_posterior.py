"""The posterior: by hand, against loops, against scikit-learn's naive Bayes; and the budget."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.naive_bayes import CategoricalNB

from segue.congruent.decisions import Confusion, DiagonalConfusion, MaxBelief, PredictionStore
from segue.congruent.decisions.posterior import entropy, most_uncertain
from tests.congruent.decisions.slow import slow_confusion, slow_entropy, slow_posterior

FIRST = Confusion(np.array([0, 1]), np.array([[0.8, 0.3], [0.2, 0.7]]), np.array([10, 10]))
SECOND = Confusion(np.array([0, 1]), np.array([[0.9, 0.05], [0.1, 0.95]]), np.array([10, 10]))


def test_two_answers_worked_by_hand():
    store = PredictionStore.create(["x", "y"], [0, 0], FIRST)
    assert store.posterior[0] == pytest.approx([0.8 / 1.1, 0.3 / 1.1])
    store.update(["y"], [1], SECOND)
    # 0.8 * 0.1 = 0.08 against 0.3 * 0.95 = 0.285
    assert store.posterior[1] == pytest.approx([0.08 / 0.365, 0.285 / 0.365])
    assert store.posterior[0] == pytest.approx([0.8 / 1.1, 0.3 / 1.1])  # was not asked
    assert store.confidence == pytest.approx([0.8 / 1.1, 0.08 / 0.365])  # 3.6 times is less than ten times


def test_a_prior_is_bayes_prior():
    store = PredictionStore.create(["x"], [0], FIRST, prior={0: 1, 1: 9})
    assert store.posterior[0] == pytest.approx([0.08 / 0.35, 0.27 / 0.35])


@st.composite
def series(draw):
    classes = draw(st.integers(2, 4))
    generations, samples, source = draw(st.integers(1, 4)), draw(st.integers(1, 6)), draw(st.integers(1, 20))
    numbers = st.integers(0, classes - 1)
    labels = draw(st.lists(numbers, min_size=source, max_size=source))
    known = [draw(st.lists(numbers, min_size=source, max_size=source)) for _ in range(generations)]
    answers = [draw(st.lists(numbers, min_size=samples, max_size=samples)) for _ in range(generations)]
    return classes, labels, known, answers


def through(classes, labels, known, answers, kind=Confusion, order=None, rule=None):
    order = range(len(answers)) if order is None else order
    first, *rest = order
    confusions = [kind.fit(labels, said, classes=range(classes)) for said in known]
    ids = np.arange(len(answers[0]))
    store = PredictionStore.create(ids, answers[first], confusions[first])
    for place in rest:
        store.update(ids, answers[place], confusions[place], rule=rule or MaxBelief())
    return store


@settings(max_examples=40, deadline=None)
@given(series())
def test_the_posterior_agrees_with_a_loop_over_samples(drawn):
    classes, labels, known, answers = drawn
    store = through(*drawn)
    confusions = [slow_confusion(labels, said, range(classes), 1.0) for said in known]
    for sample, row in enumerate(store.posterior):
        slow = slow_posterior([said[sample] for said in answers], confusions, range(classes))
        assert row == pytest.approx([slow[k] for k in range(classes)])
        assert store.uncertainty[sample] == pytest.approx(slow_entropy(slow), abs=1e-9)


@settings(max_examples=40, deadline=None)
@given(series(), st.randoms(use_true_random=False), st.sampled_from([Confusion, DiagonalConfusion]))
def test_the_order_of_generations_does_not_change_the_posterior(drawn, chance, kind):
    order = list(range(len(drawn[3])))
    chance.shuffle(order)
    assert through(*drawn, kind=kind, order=order).posterior == pytest.approx(through(*drawn, kind=kind).posterior)


@settings(max_examples=40, deadline=None)
@given(series())
def test_the_posterior_is_that_of_scikit_learns_naive_bayes(drawn):
    classes, labels, known, answers = drawn
    # every class must occur in scikit-learn's training data
    labels = [*labels, *range(classes)]
    known = [[*said, *range(classes)] for said in known]
    oracle = CategoricalNB(alpha=1.0 / classes, fit_prior=False, min_categories=classes, force_alpha=True)
    oracle.fit(np.array(known).T, labels)
    store = through(classes, labels, known, answers)
    assert store.posterior == pytest.approx(oracle.predict_proba(np.array(answers).T))


def test_many_answers_do_not_underflow():
    store = PredictionStore.create(["x"], [0], SECOND)
    for _ in range(300):
        store.update(["x"], [0], SECOND)
    assert store.posterior[0].tolist() == [1.0, 0.0]
    assert store.uncertainty[0] == 0.0
    for _ in range(400):
        store.update(["x"], [1], SECOND, rule=MaxBelief())
    assert store.labels.tolist() == [1]  # certainty can be undone


def test_entropy_is_that_of_scipy():
    from scipy import stats

    beliefs = np.random.default_rng(0).dirichlet(np.ones(7), 50)
    assert entropy(np.log(beliefs)) == pytest.approx(stats.entropy(beliefs, axis=1))


def test_the_budget_goes_to_the_most_uncertain():
    uncertainty = np.array([0.1, 0.5, 0.3, 0.7])
    assert most_uncertain(uncertainty, 2, 0).tolist() == [3, 1]
    assert most_uncertain(uncertainty, 9, 0).tolist() == [3, 1, 2, 0]


def test_chance_decides_among_equals_and_repeats_itself():
    same = np.full(1000, 0.5) + np.random.default_rng(0).normal(0, 1e-15, 1000)
    one, other = most_uncertain(same, 100, 1), most_uncertain(same, 100, 2)
    assert one.tolist() == most_uncertain(same, 100, 1).tolist()
    assert set(one) != set(other)
    assert 350 < one.mean() < 650  # not the first hundred
