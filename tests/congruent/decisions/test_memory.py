"""How much of the earlier evidence counts: by hand, against a loop, and what is refused."""

import math

import numpy as np
import pytest

from segue.congruent.decisions import Confusion, CostRatio, Memory, PredictionStore
from segue.congruent.decisions.memory import WEIGHTS
from segue.errors import InputError
from tests.congruent.decisions.slow import slow_confusion

FIRST = Confusion(np.array([0, 1]), np.array([[0.8, 0.3], [0.2, 0.7]]), np.array([10, 10]))
SECOND = Confusion(np.array([0, 1]), np.array([[0.9, 0.05], [0.1, 0.95]]), np.array([10, 10]))


def test_tempered_evidence_by_hand():
    store = PredictionStore.create(["x"], [0], FIRST)
    store.update(["x"], [1], SECOND, memory=0.5)
    belief = np.array([math.sqrt(0.8) * 0.1, math.sqrt(0.3) * 0.95])
    assert store.posterior[0] == pytest.approx(belief / belief.sum())
    store.update(["x"], [0], SECOND, memory=0)
    assert store.posterior[0] == pytest.approx([0.9 / 0.95, 0.05 / 0.95])


def test_a_class_of_which_nothing_is_known_is_tempered_too():
    store = PredictionStore.create(["x"], [0], FIRST)
    store.update(["x"], [0], SECOND, memory=0.5, rule=CostRatio(1))
    store.change_classes({0: 0, 1: 1}, classes=[0, 1, 2])
    belief = np.array([math.sqrt(0.8) * 0.9, math.sqrt(0.3) * 0.05, math.sqrt(0.5) * 0.5])
    assert store.posterior[0] == pytest.approx(belief / belief.sum())


def three_generations(samples=240, shared=0.5, seed=0):
    """Return labels and answers of three ever better models, which draw a part of their errors together."""
    draws = np.random.default_rng(seed)
    labels = draws.integers(0, 3, samples)
    luck, wrong = draws.random(samples), draws.integers(0, 3, samples)
    said = []
    for accuracy in (0.5, 0.65, 0.8):
        own = draws.random(samples) < shared
        said.append(np.where(np.where(own, luck, draws.random(samples)) < accuracy, labels, wrong))
    return labels, said


def test_the_weights_agree_with_a_loop():
    labels, said = three_generations()
    fitted = Memory.fit(labels, said)
    half = np.random.default_rng(0).permutation(len(labels)) % 2 == 0
    folds = [
        {part: slow_confusion(labels[half != part], one[half != part], range(3), 1.0) for part in (True, False)}
        for one in said
    ]

    def loss(weights):
        total = 0.0
        for sample, label in enumerate(labels):
            belief = [0.0] * 3
            for weight, fold, one in zip((1.0, *weights), folds, said, strict=False):
                confusion = fold[bool(half[sample])]
                belief = [weight * belief[k] + math.log(confusion[one[sample], k]) for k in range(3)]
            total += math.log(sum(math.exp(value) for value in belief)) - belief[label]
        return total / len(labels)

    first = min(WEIGHTS, key=lambda weight: loss([weight]))
    second = min(WEIGHTS, key=lambda weight: loss([first, weight]))
    assert fitted.weights == (first, second)
    assert fitted.log_loss == pytest.approx(loss([first, second]))
    assert fitted.log_loss_of_all == pytest.approx(loss([1.0, 1.0]))
    assert 0 < fitted.weight < 1


def test_models_that_err_alike_are_forgotten_and_independent_ones_are_not():
    labels, alike = three_generations(6000, shared=1.0)
    assert max(Memory.fit(labels, alike).weights) <= 0.2
    labels, apart = three_generations(6000, shared=0.0)
    # the wrong answers are drawn together in both: it is whether they err that is independent
    assert min(Memory.fit(labels, apart).weights) > max(Memory.fit(labels, alike).weights)


def test_earlier_weights_stay_when_a_generation_is_added():
    labels, said = three_generations()
    assert Memory.fit(labels, said).weights[:1] == Memory.fit(labels, said[:2]).weights


def test_words_and_plain_values():
    fitted = Memory((0.5, 0.25), 0.3, 0.4)
    assert str(fitted) == (
        "When the newest generation answers, earlier evidence counts 0.25 of its weight. Mean log loss of the labelled "
        "samples: 0.300 nats, 0.400 if all evidence counted in full."
    )
    assert fitted.to_dict() == {"weights": [0.5, 0.25], "log_loss": 0.3, "log_loss_of_all": 0.4}


@pytest.mark.parametrize(
    ("labels", "answers", "said"),
    [
        (
            [0, 1, 0, 1],
            [[0, 1, 0, 1]],
            "answers holds fewer than two generations; pass the earlier ones' and the newest's",
        ),
        ([0, 1], [[0, 1]] * 2, "labels holds 2 samples; pass some hundreds, so that halves can judge each other"),
        (
            [0, 1, 0, 1],
            [[0, 1, 0, 1], [0, 1]],
            "the arrays differ in length: labels has 4, answers[0] has 4, answers[1] has 2; pass one value per sample "
            "in the same order",
        ),
    ],
)
def test_mistakes_are_told(labels, answers, said):
    with pytest.raises(InputError) as error:
        Memory.fit(labels, answers)
    assert str(error.value) == said


@pytest.mark.parametrize("memory", [-0.1, 1.1, float("nan")])
def test_a_weight_out_of_its_range_is_refused(memory):
    store = PredictionStore.create(["x"], [0], FIRST)
    with pytest.raises(InputError) as error:
        store.update(["x"], [1], SECOND, memory=memory)
    assert str(error.value) == f"memory is {memory}; pass the weight of earlier evidence, from 0 to 1"
