"""Discovery of slices: planted ones are found, and nothing is reported where flips are random."""

import json

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from segue.errors import InputError
from segue.flips.discovery import discover
from segue.flips.discovery.confirmation import Outcomes
from segue.flips.discovery.cross_screening import split as split_parts
from segue.flips.discovery.cuts import code_column
from segue.flips.discovery.features import read_features
from segue.flips.discovery.screening import unexplained
from segue.flips.discovery.subgroups import Limits, Search


def table(n, rng):
    """Five columns of mixed kinds, two of them correlated."""
    age = rng.integers(18, 90, n)
    return {
        "age": age,
        "income": np.exp(rng.normal(10 + 0.01 * (age - 50), 0.4, n)),
        "region": rng.choice(["north", "south", "east", "west"], n),
        "device": rng.choice(["phone", "web", "tablet"], n, p=[0.5, 0.4, 0.1]),
        "member": rng.random(n) < 0.4,
    }


def jaccard(one, other):
    return (one & other).sum() / (one | other).sum()


@pytest.mark.parametrize(
    "planted",
    [
        lambda t: t["region"] == "east",
        lambda t: (t["age"] >= 62) & t["member"],
        lambda t: (t["age"] >= 35) & (t["age"] < 52) & (t["region"] == "north"),
        lambda t: (t["income"] < 20_000) & (t["region"] == "west") & (t["device"] == "phone"),
    ],
    ids=["one value", "two conditions", "a range with two ends", "three conditions"],
)
def test_a_planted_slice_is_found(planted, rng):
    columns = table(12_000, rng)
    truth = planted(columns)
    discovery = discover(columns, rng.random(12_000) < np.where(truth, 0.15, 0.02))
    assert jaccard(discovery.slices[0].mask(columns), truth) > 0.8
    assert len(discovery.slices) <= 2


def test_slices_that_stronger_ones_drown_are_found_besides_them(rng):
    columns = table(20_000, rng)
    strong = (columns["region"] == "north") & (columns["age"] >= 50)
    weak = (columns["device"] == "tablet") & columns["member"]
    rate = np.where(strong, 0.4, np.where(weak, 0.08, 0.01))
    discovery = discover(columns, rng.random(20_000) < rate)
    best = [max(jaccard(one.mask(columns), truth) for one in discovery.slices) for truth in (strong, weak)]
    assert min(best) > 0.8
    second = next(one for one in discovery.slices if jaccard(one.mask(columns), weak) > 0.8)
    assert second.besides
    assert second.rest_rate < 0.02
    assert "(outside " in str(second)


def test_the_numbers_of_a_slice_can_be_counted_again(rng):
    columns = table(6000, rng)
    truth = columns["region"] == "south"
    flipped = rng.random(6000) < np.where(truth, 0.12, 0.03)
    one = discover(columns, flipped, seed=4).slices[0]
    inside = one.mask(columns)
    assert str(one.conjunction) == 'region = "south"'
    part = split_parts(Outcomes(flipped), np.random.default_rng(4))
    if int((inside & part).sum()) != one.found_samples:
        part = ~part
    assert one.found_samples == (inside & part).sum()
    assert one.found_flips == (inside & part & flipped).sum()
    assert (one.samples, one.flips) == ((inside & ~part).sum(), (inside & ~part & flipped).sum())
    rest = flipped[~inside & ~part].mean()
    assert (one.rest_rate, one.lift) == pytest.approx((rest, one.flips / one.samples / rest))
    ends = stats.binomtest(one.flips, one.samples).proportion_ci()
    assert (one.rate.low, one.rate.high) == pytest.approx((ends.low, ends.high))
    counts = [[one.flips, one.samples - one.flips]]
    counts.append([(flipped & ~inside & ~part).sum(), (~flipped & ~inside & ~part).sum()])
    assert one.p_value == pytest.approx(stats.fisher_exact(counts, alternative="greater").pvalue)
    assert one.p_value < one.adjusted_p_value < 1e-6


def test_nothing_is_reported_where_flips_are_random():
    reports, repeats = 0, 60
    for seed in range(repeats):
        rng = np.random.default_rng([seed, 7])
        columns = table(1500, rng)
        reports += bool(discover(columns, rng.random(1500) < 0.04, seed=seed).slices)
    # At 5%, more than 8 of 60 would be seen once in two hundred times.
    assert reports <= 8


def test_flips_that_come_in_groups_are_no_slice():
    with_groups = without = 0
    for seed in range(25):
        rng = np.random.default_rng([seed, 11])
        customer = np.repeat(np.arange(120), 12)
        columns = {
            "country": rng.choice(list("abcdef"), 120)[customer],
            "size": rng.random(120)[customer],
            "hour": rng.random(len(customer)),
        }
        flipped = rng.random(len(customer)) < rng.beta(0.1, 1.9, 120)[customer]
        with_groups += bool(discover(columns, flipped, groups=customer, seed=seed).slices)
        without += bool(discover(columns, flipped, seed=seed).slices)
    assert with_groups <= 4
    assert without >= 10


def test_groups_are_kept_whole_and_the_parts_are_alike(rng):
    groups = rng.integers(0, 200, 3000)
    flipped = rng.random(3000) < 0.05
    found = split_parts(Outcomes(flipped, groups=groups), rng)
    assert not set(groups[found]) & set(groups[~found])
    assert abs(found.mean() - 0.5) < 0.1
    alone = split_parts(Outcomes(flipped), rng)
    assert abs(int((alone & flipped).sum()) - int((~alone & flipped).sum())) <= 1
    assert abs(int(alone.sum()) - int((~alone).sum())) <= 2


def test_a_planted_slice_is_found_among_groups_and_weights(rng):
    customer = np.repeat(np.arange(1500), 4)
    columns = {"country": rng.choice(list("abcd"), 1500)[customer], "hour": rng.random(6000)}
    truth = columns["country"] == "b"
    flipped = rng.random(6000) < np.where(truth, 0.2, 0.03)
    weights = rng.random(6000) + 0.5
    discovery = discover(columns, flipped, groups=customer, weights=weights)
    assert str(discovery.slices[0].conjunction) == 'country = "b"'
    assert discovery.slices[0].rate.low < 0.2 < discovery.slices[0].rate.high


def test_weights_decide_what_is_frequent(rng):
    # Unweighted, flips are everywhere alike; the flipped samples of one region count ten times as much.
    columns = table(8000, rng)
    flipped = rng.random(8000) < 0.1
    weights = np.where((columns["region"] == "east") & flipped, 10.0, 1.0)
    assert not discover(columns, flipped).slices
    assert str(discover(columns, flipped, weights=weights).slices[0].conjunction) == 'region = "east"'


def test_missing_values_can_be_the_slice_and_no_sample_is_dropped(rng):
    columns = table(4000, rng)
    gone = rng.random(4000) < 0.15
    columns["income"] = np.where(gone, np.nan, columns["income"])
    columns["region"] = np.where(rng.random(4000) < 0.1, None, columns["region"].astype(object))
    discovery = discover(columns, rng.random(4000) < np.where(gone, 0.2, 0.02))
    assert str(discovery.slices[0].conjunction) == "income is missing"
    assert discovery.samples_found + discovery.samples_confirmed == 4000


def test_among_looks_at_some_samples_only(rng):
    columns = table(6000, rng)
    right = rng.random(6000) < 0.7
    flipped = right & (rng.random(6000) < np.where(columns["member"], 0.15, 0.03))
    discovery = discover(columns, flipped, among=right)
    assert discovery.samples_found + discovery.samples_confirmed == right.sum()
    alone = {name: values[right] for name, values in columns.items()}
    assert discover(alone, flipped[right]).to_dict() == discovery.to_dict()


def test_the_answer_depends_on_the_seed_alone(rng):
    columns = table(3000, rng)
    flipped = rng.random(3000) < np.where(columns["age"] >= 70, 0.2, 0.03)
    first = discover(columns, flipped, seed=3)
    assert discover(columns, flipped, seed=3) == first
    assert discover(pd.DataFrame(columns), flipped.tolist(), seed=3).to_dict() == first.to_dict()
    assert json.loads(json.dumps(first.to_dict(), allow_nan=False)) == first.to_dict()


def test_fewer_conditions_are_kept_to(rng):
    columns = table(8000, rng)
    truth = (columns["region"] == "west") & (columns["device"] == "web") & columns["member"]
    flipped = rng.random(8000) < np.where(truth, 0.3, 0.02)
    lengths = [
        max(len(one.conditions) for one in discover(columns, flipped, most_conditions=k).slices) for k in (1, 2, 3)
    ]
    assert lengths == [1, 2, 3]


def test_identifiers_are_not_searched_and_cost_nothing(rng):
    columns = {
        "name": [f"customer {number}" for number in range(3000)],
        "row": rng.permutation(3000),
        "hash": rng.integers(0, 2**62, 3000),
        "constant": ["x"] * 3000,
        "empty": [None] * 3000,
    }
    discovery = discover(columns, rng.random(3000) < 0.05)
    assert not discovery.slices
    assert [note for note in discovery.notes if "not searched" in note] == [
        "column 'name' has no value with 20 samples in each part and was not searched",
        "column 'row' numbers the samples one by one and was not searched",
        "column 'constant' has one value only and was not searched",
        "column 'empty' has no value at all and was not searched",
    ]


def test_very_many_frequent_values_are_cut_with_a_note(rng):
    columns = {"shop": rng.choice([f"shop {number}" for number in range(80)], 8000)}
    discovery = discover(columns, rng.random(8000) < np.where(columns["shop"] == "shop 3", 0.5, 0.02))
    assert discovery.notes == ("column 'shop' has very many values; only the 60 most frequent were searched",)


@pytest.mark.parametrize(
    ("n", "flips", "words"),
    [
        (1000, 0, "none of the 1,000 samples flipped"),
        (1000, 1000, "all 1,000 samples flipped"),
        (1000, 5, "5 flips are too few"),
        (50, 20, "50 samples are too few"),
    ],
)
def test_too_little_to_split_is_said_and_nothing_is_reported(n, flips, words):
    discovery = discover({"x": np.arange(n) / 7}, np.arange(n) < flips)
    assert (discovery.slices, discovery.candidates) == ((), 0)
    assert discovery.notes[0].startswith(words)
    assert "No slice was found" in str(discovery)
    assert words in str(discovery)


X, FLIPPED = np.arange(100) / 3, np.arange(100) % 9 == 0


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"columns": {"x": X[:9]}}, "columns['x'] has 9 values for 100 samples"),
        ({"columns": {}}, "columns is empty"),
        ({"flipped": ["yes"] * 100}, "flipped holds text values that are not all true or false"),
        ({"flipped": np.where(FLIPPED, np.nan, 0)}, "flipped holds float64 values that are not all true or false"),
        ({"flipped": FLIPPED.reshape(-1, 2)}, "flipped has shape (50, 2)"),
        ({"flipped": []}, "flipped is empty"),
        ({"among": [True]}, "the arrays differ in length"),
        ({"among": np.zeros(100, dtype=bool)}, "among chooses none of the samples"),
        ({"weights": -X}, "weights has"),
        ({"groups": np.zeros(100)}, "groups holds a single group"),
        ({"most_conditions": 4}, "most_conditions is 4; pass a whole number from 1 to 3"),
        ({"candidates": 2.5}, "candidates is 2.5; pass a whole number from 1 to 1,000"),
        ({"fewest_samples": 0}, "fewest_samples is 0; pass a whole number of at least 1"),
        ({"fdr": 5}, "fdr is 5"),
        ({"confidence": 95}, "confidence is 95"),
    ],
)
def test_a_mistake_is_one_sentence(arguments, words):
    with pytest.raises(InputError) as caught:
        discover(**({"columns": {"x": X}, "flipped": FLIPPED} | arguments))
    assert str(caught.value).startswith(words)


@settings(max_examples=15)
@given(st.integers(0, 2**32 - 1))
def test_the_search_scores_what_it_finds_as_a_count_would(seed):
    rng = np.random.default_rng(seed)
    columns = table(400, rng)
    flipped = rng.random(400) < np.where(columns["member"], 0.2, 0.05)
    every = np.ones(400, dtype=bool)
    coded = [code_column(feature, every, 10) for feature in read_features(columns, 400)]
    search = Search(coded, np.arange(400), flipped, None, Limits(fewest=10))
    ranked, left_out = search.run()
    assert left_out == 0
    assert ranked == sorted(ranked)
    for one in ranked[:20]:
        inside = every.copy()
        for number, low, high in one.parts:
            inside &= coded[number].condition(low, high).holds(coded[number].feature)
        assert inside.sum() >= 10
        counts = [
            [(inside & flipped).sum(), (inside & ~flipped).sum()],
            [(~inside & flipped).sum(), (~inside & ~flipped).sum()],
        ]
        g = stats.chi2_contingency(counts, correction=False, lambda_="log-likelihood").statistic
        assert one.score == pytest.approx(g / 2, abs=1e-6)
        assert one.rank == pytest.approx(search.found(one.parts).rank)


def test_the_best_single_condition_is_found_by_brute_force_too(rng):
    columns = {"a": rng.integers(0, 8, 500), "b": rng.choice(list("uvw"), 500)}
    flipped = rng.random(500) < np.where((columns["a"] >= 3) & (columns["a"] <= 4), 0.3, 0.1)
    every = np.ones(500, dtype=bool)
    coded = [code_column(feature, every, 10) for feature in read_features(columns, 500)]
    best = Search(coded, np.arange(500), flipped, None, Limits(1, 10, price=0.0)).run()[0][0]

    def g(inside):
        if inside.all() or not inside.any() or flipped[inside].mean() <= flipped.mean():
            return 0.0
        counts = [
            [(inside & flipped).sum(), (inside & ~flipped).sum()],
            [(~inside & flipped).sum(), (~inside & ~flipped).sum()],
        ]
        return stats.chi2_contingency(counts, correction=False, lambda_="log-likelihood").statistic / 2

    masks = [(columns["a"] >= low) & (columns["a"] <= high) for low in range(8) for high in range(low, 8)]
    masks += [columns["b"] == letter for letter in "uvw"]
    assert best.score == pytest.approx(max(g(mask) for mask in masks if 10 <= mask.sum() <= 375))


def test_only_the_better_of_two_names_for_the_same_flips_is_told(rng):
    columns = table(6000, rng)
    columns["zone"] = np.where(columns["region"] == "north", "N", columns["region"])
    truth = columns["region"] == "north"
    discovery = discover(columns, rng.random(6000) < np.where(truth, 0.15, 0.02))
    assert len(discovery.slices) == 1
    assert unexplained([], Outcomes(truth)) == []
