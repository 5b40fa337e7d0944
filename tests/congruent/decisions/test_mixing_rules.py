"""The switch rule and the average rule: by hand, against loops, at their ends, and what they refuse."""

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from segue.congruent.decisions import AverageRule, Confusion, PredictionStore, SwitchRule
from segue.congruent.decisions.average import averaged
from segue.congruent.decisions.pairs import Pair
from segue.congruent.decisions.switch import switched
from segue.errors import InputError
from segue.flips import compare

KINDS = (SwitchRule, AverageRule)


def models(samples=4000, classes=5, seed=0, strength=(1.2, 1.6)):
    """Return labels, and the probabilities of two models that err partly alike; the second is the better one."""
    draws = np.random.default_rng(seed)
    labels = draws.integers(0, classes, samples)
    shared = draws.normal(size=(samples, classes))
    found = []
    for force in strength:
        logits = 2 * force * np.eye(classes)[labels] + shared + draws.normal(size=(samples, classes))
        raised = np.exp(logits)
        found.append(raised / raised.sum(axis=1, keepdims=True))
    return labels, *found


@st.composite
def pairs(draw):
    samples, classes = draw(st.integers(1, 5)), draw(st.integers(2, 4))
    rows = st.lists(st.integers(1, 20), min_size=classes, max_size=classes)
    both = [np.array([draw(rows) for _ in range(samples)], dtype=float) for _ in range(2)]
    return Pair(*(one / one.sum(axis=1, keepdims=True) for one in both))


@settings(max_examples=40, deadline=None)
@given(pairs(), st.integers(-100, 100), st.integers(0, 20))
def test_both_rules_agree_with_a_loop(pair, hundredths, twentieths):
    threshold, weight = hundredths / 100, twentieths / 20
    fast_switched, fast_averaged = switched(pair, threshold), averaged(pair, weight)
    for row, (old, new) in enumerate(zip(pair.old, pair.new, strict=True)):
        of_old, of_new = int(old.argmax()), int(new.argmax())
        gain = (old[of_new] + new[of_new]) / 2 - (old[of_old] + new[of_old]) / 2
        if abs(gain - threshold) > 1e-12:
            assert fast_switched[row] == (of_new if gain >= threshold else of_old)
        mixed = [weight * o + (1 - weight) * n for o, n in zip(old, new, strict=True)]
        assert mixed[fast_averaged[row]] == pytest.approx(max(mixed))


@settings(max_examples=40, deadline=None)
@given(pairs(), st.integers(-100, 99))
def test_a_higher_threshold_keeps_more_and_breaks_no_more(pair, hundredths):
    low, high = (switched(pair, number / 100) for number in (hundredths, hundredths + 1))
    kept = low == pair.old_answers
    assert (high[kept] == pair.old_answers[kept]).all()
    assert (switched(pair, -1.0) == pair.new_answers).all()
    assert (switched(pair, 1.0) == pair.old_answers).all()


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("stored_answers", [False, True])
def test_flips_are_avoided_at_the_stated_price_on_other_samples(kind, stored_answers):
    labels, old, new = models()
    said = old.argmax(axis=1) if stored_answers else old
    rule = kind.fit(labels[:2000], said[:2000], new[:2000], margin=0.01)
    report = rule.measure(labels[2000:], said[2000:], new[2000:])
    alone = compare(labels[2000:], old[2000:].argmax(axis=1), new[2000:].argmax(axis=1))
    assert report.negative_flips < 0.75 * alone.negative_flips
    assert report.accuracy_new.value >= alone.accuracy_new.value - 0.01
    assert rule.validation.loss_bound <= 0.01
    assert rule.validation.samples == 2000
    assert (
        rule.decide(said[2000:], new[2000:]).tolist()
        == kind.fit(labels[:2000], said[:2000], new[:2000]).decide(said[2000:], new[2000:]).tolist()
    )  # 0.01 is the default


@pytest.mark.parametrize("kind", KINDS)
def test_no_allowed_candidate_breaks_less(kind):
    labels, old, new = models(1500)
    rule = kind.fit(labels, old, new, margin=0.02)
    chosen, apply = (rule.threshold, switched) if kind is SwitchRule else (rule.weight, averaged)
    steps = np.arange(-100, 101) / 100 if kind is SwitchRule else np.arange(21) / 20
    pair = Pair(old, new)
    right_old, right_new = old.argmax(axis=1) == labels, new.argmax(axis=1) == labels
    fewest = None
    for place, step in enumerate(steps):
        right = apply(pair, step) == labels
        lost, won = int((right_new & ~right).sum()), int((right & ~right_new).sum())
        from statsmodels.stats.proportion import proportion_confint

        bound = (
            proportion_confint(lost, 1500, alpha=0.05, method="beta")[1]
            - proportion_confint(won, 1500, alpha=0.05, method="beta")[0]
        )
        if place and bound > 0.02:
            break
        broken = int((right_old & ~right).sum())
        if fewest is None or broken < fewest[0]:
            fewest = broken, step
    assert fewest is not None
    assert chosen == pytest.approx(fewest[1])
    assert rule.validation.nfr.value == pytest.approx(fewest[0] / 1500)
    assert fewest[1] > steps[0]


@pytest.mark.parametrize("kind", KINDS)
def test_too_few_samples_leave_the_new_model_alone_and_say_so(kind):
    labels, old, new = models(50)
    rule = kind.fit(labels, old, new, margin=0.01)
    assert rule.decide(old, new).tolist() == new.argmax(axis=1).tolist()
    assert rule.validation.loss_bound == 0.0
    assert str(rule).startswith(
        "Always take the new answer: nothing else could be shown to keep to the margin; validate on more samples, or "
        "allow a larger margin."
    )


@pytest.mark.parametrize("kind", KINDS)
def test_a_rule_comes_back_from_its_file(kind, tmp_path):
    labels, old, new = models(1000, 3)
    names = ["ant", "bee", "cow"]
    rule = kind.fit([names[k] for k in labels], old, new, classes=names, margin=0.05)
    rule.save(tmp_path / "rule.json")
    read = kind.load(tmp_path / "rule.json")
    assert read == rule
    assert read.decide(old, new).tolist() == rule.decide(old, new).tolist()
    assert set(rule.decide(old, new).tolist()) <= set(names)
    assert json.loads((tmp_path / "rule.json").read_text()) == rule.to_dict()
    other = AverageRule if kind is SwitchRule else SwitchRule
    with pytest.raises(InputError, match=r"^rule.json holds no rule of the schema "):
        other.load(tmp_path / "rule.json")


@pytest.mark.parametrize("kind", KINDS)
def test_files_that_hold_no_rule_are_refused(kind, tmp_path):
    (tmp_path / "torn.json").write_text("{")
    with pytest.raises(InputError, match=r"^torn.json can't be read as JSON "):
        kind.load(tmp_path / "torn.json")
    with pytest.raises(InputError, match=r"^there is no file 'none.json'; check the path$"):
        kind.load("none.json")
    labels, old, new = models(100)
    found = kind.fit(labels, old, new).to_dict()
    del found["validation"]
    (tmp_path / "part.json").write_text(json.dumps(found))
    with pytest.raises(InputError, match=r"^part.json lacks parts of an? (switch|average) rule"):
        kind.load(tmp_path / "part.json")


@pytest.mark.parametrize("kind", KINDS)
def test_class_sets_that_grew_and_were_renamed(kind):
    labels, old, new = models(3000, 4)
    # the old model knew three of them, in another order, and one under another name
    columns = [2, 0, 1]
    of_old = old[:, columns] / old[:, columns].sum(axis=1, keepdims=True)
    names = ["ant", "bee", "cow", "dog"]
    truth = np.array(names)[labels]
    given_ = {"classes": names, "old_classes": ["kine", "ant", "bee"], "margin": 0.02}
    class_map = {"kine": "cow", "ant": "ant", "bee": "bee"}
    rule = kind.fit(truth, of_old, new, class_map=class_map, **given_)
    aligned = np.column_stack([of_old[:, 1], of_old[:, 2], of_old[:, 0], np.zeros(3000)])
    same = kind.fit(truth, aligned, new, classes=names, margin=0.02)
    assert rule.decide(of_old, new).tolist() == same.decide(aligned, new).tolist()
    assert rule.validation == same.validation
    with pytest.raises(InputError) as error:
        kind.fit(truth, of_old, new, **given_)
    assert str(error.value).startswith("old_classes holds 'kine', which is none of the 4 known classes ")
    assert str(error.value).endswith("; say which new class each old one is now with class_map=")
    with pytest.raises(InputError) as error:
        kind.fit(truth, of_old, new, class_map=class_map | {"kine": ["cow", "dog"]}, **given_)
    assert str(error.value) == (
        "class_map sends 'kine' to 2 classes; to keep an old answer, it must stand for one new class"
    )


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"margin": -0.1}, "margin is -0.1; pass the share of accuracy that may be lost, such as 0.01 for a point"),
        ({"margin": float("nan")},
         "margin is nan; pass the share of accuracy that may be lost, such as 0.01 for a point"),
        ({"confidence": 1}, "confidence is 1; pass a number between 0 and 1, such as 0.95"),
        ({"labels": [0, 1]},
         "the arrays differ in length: labels has 2, old_probabilities has 3, new_probabilities has 3; "
         "pass one value per sample in the same order"),
        ({"labels": [0, 1, 2]},
         "labels holds 2, which is none of the 2 known classes (0, 1); name the classes of all columns "
         "with classes= and old_classes="),
        ({"new": [0, 1, 1]},
         "new_probabilities has shape (3,); pass one column per class, (n, classes): the answer alone "
         "does not say how sure the new model is"),
        ({"old": [[0.5, 0.5]] * 2},
         "the arrays differ in length: old_probabilities has 2, new_probabilities has 3; pass one value "
         "per sample in the same order"),
        ({"old": [[0.2, 0.3, 0.5]] * 3},
         "old_probabilities has 3 columns but 2 classes are named; pass one class per column, in order"),
        ({"new": [[0.5, float("nan")]] * 3},
         "new_probabilities (rows with NaN or infinity) has 3 missing values (None or NaN), first at "
         "position 0; remove these samples from all arrays or give them a value"),
        ({"classes": [1, 1]}, "classes names a class twice; every column is a class of its own"),
    ],
)  # fmt: skip
def test_mistakes_are_told(kind, change, said):
    passed = {"labels": [0, 1, 1], "old": [[0.5, 0.5]] * 3, "new": [[0.4, 0.6]] * 3} | change
    labels, old, new = (passed.pop(name) for name in ("labels", "old", "new"))
    with pytest.raises(InputError) as error:
        kind.fit(labels, old, new, **passed)
    assert str(error.value) == said


@pytest.mark.parametrize("kind", KINDS)
def test_the_old_models_outputs_keep_the_form_of_the_fit(kind):
    labels, old, new = models(100)
    rule = kind.fit(labels, old.argmax(axis=1), new)
    with pytest.raises(InputError) as error:
        rule.decide(old, new)
    assert str(error.value) == "old has shape (100, 5); the rule was fitted with the old model's answers (n,)"
    with pytest.raises(InputError, match=r"fitted with the old model's probabilities \(n, 5\)"):
        kind.fit(labels, old, new).decide(old.argmax(axis=1), new)


def test_the_words_say_what_it_does_and_costs():
    labels, old, new = models()
    told = str(SwitchRule.fit(labels, old, new))
    assert told.startswith("Where the two models differ, take the new answer if their mean probability of it exceeds ")
    assert "With 95% confidence it costs at most " in told
    assert told.endswith("(allowed: 1). It needs both models' outputs for each sample.")
    stored = AverageRule.fit(labels, old.argmax(axis=1), new)
    assert str(stored).startswith("Answer the class with the highest mean of ")
    assert str(stored).endswith("It needs the stored old answers for each sample.")


def logits_of(probabilities):
    return np.log(probabilities) + 3.0  # what a softmax does not see


@pytest.mark.parametrize("kind", KINDS)
def test_logits_of_both_models_give_the_same_rule_as_their_probabilities(kind):
    labels, old, new = models(2000)
    by_logits, by_probabilities = kind.fit(labels, logits_of(old), logits_of(new)), kind.fit(labels, old, new)
    assert (by_logits.classes.outputs, by_probabilities.classes.outputs) == ("logits", "probabilities")
    assert by_logits.validation == by_probabilities.validation
    expected = by_probabilities.decide(old, new)
    assert by_logits.decide(logits_of(old), logits_of(new)).tolist() == expected.tolist()
    said = old.argmax(axis=1)  # stored answers go with either
    assert (
        kind.fit(labels, said, logits_of(new)).decide(said, logits_of(new)).tolist()
        == kind.fit(labels, said, new).decide(said, new).tolist()
    )


@pytest.mark.parametrize("kind", KINDS)
def test_probabilities_of_one_model_beside_logits_of_the_other_are_refused(kind):
    labels, old, new = models(300)
    for one, other, words in (
        (old, logits_of(new), ("probabilities", "logits")),
        (logits_of(old), new, ("logits", "probabilities")),
    ):
        with pytest.raises(InputError) as error:
            kind.fit(labels, one, other)
        assert str(error.value) == (
            f"old_probabilities holds {words[0]} but new_probabilities holds {words[1]}; pass the same of both models"
        )


@pytest.mark.parametrize("kind", KINDS)
def test_a_rule_keeps_to_what_it_was_fitted_with(kind, tmp_path):
    labels, old, new = models(300)
    fitted = kind.fit(labels, old, new)
    with pytest.raises(InputError) as error:
        fitted.decide(old, logits_of(new))
    assert str(error.value) == (
        "new holds no probabilities (numbers from 0 to 1, each row sums to 1), and the rule was fitted with them; pass "
        "probabilities"
    )
    fitted = kind.fit(labels, logits_of(old), logits_of(new))
    fitted.save(tmp_path / "rule.json")
    for rule in (fitted, kind.load(tmp_path / "rule.json")):
        with pytest.raises(InputError) as error:
            rule.decide(old, logits_of(new))
        assert str(error.value) == "old holds probabilities, and the rule was fitted with logits; pass logits"
        # one sample's logits may lie in [0, 1], where they look like sigmoids or like probabilities that were rounded
        for row in ([0.1, 0.2, 0.3, 0.9, 0.4], [0.1, 0.2, 0.3, 0.35, 0.1]):
            assert rule.decide([row], [row]).tolist() == [3]


@pytest.mark.parametrize("kind", KINDS)
def test_numbers_that_may_be_either_are_refused_at_the_fit(kind):
    labels, old, new = models(300)
    sigmoids = 1 / (1 + np.exp(-logits_of(new)))
    assert np.median(sigmoids.sum(axis=1)) > 1.5
    with pytest.raises(InputError) as error:
        kind.fit(labels, old, sigmoids)
    assert str(error.value) == (
        "new_probabilities holds numbers from 0 to 1 whose rows do not sum to 1, which are no probabilities of classes "
        "that exclude each other; pass probabilities, or the logits of both models"
    )


@pytest.mark.parametrize("kind", KINDS)
def test_a_file_of_a_former_version_is_read_and_looks_at_each_output(kind, tmp_path):
    labels, old, new = models(300)
    rule = kind.fit(labels, old, new, margin=0.1)
    found = rule.to_dict()
    assert found.pop("outputs") == "probabilities"
    (tmp_path / "former.json").write_text(json.dumps(found))
    former = kind.load(tmp_path / "former.json")
    for pair in ((old, new), (logits_of(old), logits_of(new))):
        assert former.decide(*pair).tolist() == rule.decide(old, new).tolist()
    with pytest.raises(InputError, match=r"^old holds probabilities but new holds logits; "):
        former.decide(old, logits_of(new))
    (tmp_path / "odd.json").write_text(json.dumps(found | {"outputs": "scores"}))
    with pytest.raises(InputError, match=r"^odd.json lacks parts of an? .* \(outputs is 'scores'\); restore it$"):
        kind.load(tmp_path / "odd.json")


def test_a_store_takes_answers_not_probabilities():
    _, old, new = models(20, 2)
    confusion = Confusion.fit([0, 1] * 20, [0, 1] * 20)
    store = PredictionStore.create(np.arange(20), old.argmax(axis=1), confusion)
    for outputs in (new, logits_of(new), new[:, 1]):
        with pytest.raises(InputError, match=r"^answers "):
            store.update(np.arange(20), outputs, confusion)
