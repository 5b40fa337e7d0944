"""Binary tasks with planted regressions, and tasks without any, for the benchmark of slice discovery.

Customers with ten columns of mixed kinds, several of them correlated, a binary label and two models' probabilities of
class 1. Outside the planted slices a sample is broken exactly as often as it is mended, so that "flips concentrate
here" and "accuracy fell here" are the same claim, and tools that test either can be compared.

Three ways in which a slice goes wrong:

- ``flips``: some of its samples are broken, the others' probabilities change no more than elsewhere;
- ``shift``: the new model's margin is lower for every sample of the slice, and those near the threshold are broken;
- ``trained``: two gradient-boosted models are really trained; half of the labels of the slice were wrong in the new
  model's training data.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Columns = dict[str, NDArray[Any]]
Bools = NDArray[np.bool_]

POPULATION = 100_000
TRAINING = 6_000
SHARES = {0: (0.0, 0.0), 1: (0.08, 0.25), 2: (0.05, 0.12), 3: (0.03, 0.08)}
"""Least and greatest share of a planted slice, by its number of conditions."""


@dataclass(frozen=True)
class Setting:
    """What is planted, and in how many samples.

    Attributes:
        mechanism: ``flips``, ``shift`` or ``trained``.
        samples: Samples that the tools see.
        slices: Planted slices; 0 for a task without any.
        conditions: Conditions of each planted slice.
        ranges: Whether numeric conditions have two ends.
        base: Rate of negative flips elsewhere (``flips``).
        lift: Rate in the slice over the rate elsewhere (``flips``).
        shift: By how many logits the margin falls in the slice (``shift``).
    """

    mechanism: str = "flips"
    samples: int = 8000
    slices: int = 1
    conditions: int = 2
    ranges: bool = False
    base: float = 0.02
    lift: float = 6.0
    shift: float = 0.0

    @property
    def name(self) -> str:
        """A name for tables."""
        if not self.slices:
            return f"null, {self.base:.0%} flips, n={self.samples}"
        size = {"flips": f"x{self.lift:g}", "shift": f"-{self.shift:g} logits", "trained": "wrong labels"}
        kind = "range" if self.ranges else "condition"
        number = f"{self.slices} slices of " if self.slices > 1 else ""
        many = "s" if self.conditions > 1 else ""
        return f"{self.mechanism} {size[self.mechanism]}, {number}{self.conditions} {kind}{many}, n={self.samples}"


@dataclass(frozen=True)
class Task:
    """Samples, and a larger population with what is true of it.

    Attributes:
        columns: Columns of the samples.
        labels: Their labels, 0 or 1.
        old: The old model's probabilities of class 1.
        new: The new model's.
        planted: What was planted, in words.
        population: Columns of the population.
        truth: Planted slices in the population, one row each.
        harm: Probability (or, where models were trained, occurrence) of a negative flip in the population.
    """

    columns: Columns
    labels: NDArray[np.int64]
    old: NDArray[np.float64]
    new: NDArray[np.float64]
    planted: tuple[str, ...]
    population: Columns
    truth: NDArray[np.bool_]
    harm: NDArray[np.float64]

    @property
    def negative_flips(self) -> Bools:
        """Whether the old answer was right and the new one is wrong."""
        right = self.labels == 1
        return ((self.old >= 0.5) == right) & ((self.new >= 0.5) != right)


def customers(n: int, draws: np.random.Generator) -> Columns:
    """Draw customers: age drives income, tenure and device, income drives the plan."""
    age = np.clip(draws.normal(45, 16, n), 18, 90).astype(np.int64)
    income = np.exp(draws.normal(10.2 + 0.008 * (age - 45), 0.5)).round(-1)
    device = np.where(draws.random(n) < 1 / (1 + np.exp((age - 45) / 12)), "phone", draws.choice(["web", "tablet"], n))
    plan_draw = np.log(income) + draws.normal(0, 0.6, n)
    names = np.array(["free", "basic", "plus", "pro", "team"])
    return {
        "age": age,
        "income": income,
        "tenure": np.round(draws.gamma(2.0, 1.0 + age / 30.0), 1),
        "visits": draws.poisson(6, n),
        "hour": np.round(draws.random(n) * 24, 2),
        "risk": draws.normal(size=n),
        "region": draws.choice(["north", "south", "east", "west"], n, p=[0.35, 0.3, 0.2, 0.15]),
        "device": device,
        "plan": names[np.digitize(plan_draw, [9.6, 10.1, 10.5, 11.0])],
        "member": draws.random(n) < 0.4,
    }


def make_task(setting: Setting, seed: int) -> Task:
    """Draw a task.

    Args:
        setting: What is planted.
        seed: The same seed and setting give the same task.

    Returns:
        The task.
    """
    draws = np.random.default_rng([seed, *(ord(letter) for letter in setting.name)])
    population = customers(POPULATION, draws)
    plans: list[list[tuple[str, Any, Any]]] = []
    while len(plans) < setting.slices:
        plan = _plan(population, setting, draws)
        inside = _inside(plan, population)
        low, high = SHARES[setting.conditions]
        apart = all((inside & _inside(other, population)).sum() < 0.2 * inside.sum() for other in plans)
        if low <= inside.mean() <= high and apart:
            plans.append(plan)
    columns = customers(setting.samples, draws)
    truth = np.array([_inside(plan, population) for plan in plans]).reshape(len(plans), POPULATION)
    here = np.zeros(setting.samples, dtype=bool)
    for plan in plans:
        here |= _inside(plan, columns)
    there = truth.any(axis=0) if len(plans) else np.zeros(POPULATION, dtype=bool)
    words = tuple(
        " and ".join(f"{name} {low}" if high is None else f"{low} <= {name} < {high}" for name, low, high in plan)
        for plan in plans
    )
    if setting.mechanism == "trained":
        labels, old, new, harm = _trained(plans, columns, population, draws)
    else:
        outcome = {"flips": _flips, "shift": _shift}[setting.mechanism]
        labels, old, new = outcome(here, setting, draws)
        if setting.mechanism == "flips":
            harm = np.where(there, setting.base * setting.lift, setting.base)
        else:
            harm = _harm(outcome(there, setting, draws))
    return Task(columns, labels, old, new, words, population, truth, harm)


def _plan(columns: Columns, setting: Setting, draws: np.random.Generator) -> list[tuple[str, Any, Any]]:
    """Draw conditions: a column, and either (category, None), ``(">= x", None)``, or two ends."""
    numeric = ["age", "income", "tenure", "visits", "hour", "risk"]
    categories = ["region", "device", "plan", "member"]
    while True:
        names = draws.choice(numeric + categories, setting.conditions, replace=False).tolist()
        if not setting.ranges or any(name in numeric for name in names):
            break
    plan: list[tuple[str, Any, Any]] = []
    for name in names:
        values = columns[name]
        if name in categories:
            plan.append((name, f"= {draws.choice(np.unique(values))}", None))
            continue
        # Ends fall anywhere: none of the tools' quantiles is favoured.
        width = draws.uniform(0.1, 0.5)
        if setting.ranges:
            start = draws.uniform(0.05, 0.95 - width)
            low, high = np.quantile(values, [start, start + width])
            plan.append((name, float(low), float(high)))
        else:
            upper = draws.random() < 0.5
            cut = float(np.quantile(values, 1 - width if upper else width))
            plan.append((name, f"{'>=' if upper else '<'} {cut:.6g}", None))
    return plan


def _inside(plan: list[tuple[str, Any, Any]], columns: Columns) -> Bools:
    inside = np.ones(len(columns["age"]), dtype=bool)
    for name, low, high in plan:
        values = columns[name]
        if high is not None:
            inside &= (values >= low) & (values < high)
        elif low.startswith("="):
            inside &= values.astype(str) == low[2:]
        else:
            sign, cut = low.split()
            inside &= values >= float(cut) if sign == ">=" else values < float(cut)
    return inside


Outcome = tuple[NDArray[np.int64], NDArray[np.float64], NDArray[np.float64]]


def _flips(here: Bools, setting: Setting, draws: np.random.Generator) -> Outcome:
    n = len(here)
    chance = draws.random(n)
    broken = chance < np.where(here, setting.base * setting.lift, setting.base)
    mended = ~broken & (draws.random(n) < setting.base)
    right_old = broken | (~mended & (draws.random(n) < 0.85))
    right_new = (right_old & ~broken) | mended
    margin_old = np.where(right_old, 1, -1) * draws.gamma(2.0, 1.0, n)
    near = np.abs(margin_old) * np.exp(draws.normal(0, 0.2, n))
    margin_new = np.where(right_new, 1, -1) * np.where(right_old == right_new, near, draws.gamma(2.0, 1.0, n))
    return _probabilities(margin_old, margin_new, draws)


def _shift(here: Bools, setting: Setting, draws: np.random.Generator) -> Outcome:
    n = len(here)
    margin = draws.normal(2.0, 1.5, n)
    old, new = margin + draws.normal(0, 0.4, n), margin + draws.normal(0, 0.4, n) - setting.shift * here
    return _probabilities(old, new, draws)


def _probabilities(old: NDArray[np.float64], new: NDArray[np.float64], draws: np.random.Generator) -> Outcome:
    labels = draws.integers(0, 2, len(old))
    sign = 2 * labels - 1
    return labels, 1 / (1 + np.exp(-sign * old)), 1 / (1 + np.exp(-sign * new))


def _harm(outcome: Outcome) -> NDArray[np.float64]:
    labels, old, new = outcome
    right = labels == 1
    return (((old >= 0.5) == right) & ((new >= 0.5) != right)).astype(np.float64)


def _trained(
    plans: list[list[tuple[str, Any, Any]]], columns: Columns, population: Columns, draws: np.random.Generator
) -> tuple[NDArray[np.int64], NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    from sklearn.ensemble import HistGradientBoostingClassifier

    def numbers(table: Columns) -> NDArray[np.float64]:
        coded = [
            values.astype(np.float64) if values.dtype.kind in "ifb" else np.unique(values, return_inverse=True)[1]
            for values in table.values()
        ]
        return np.stack(coded, axis=1).astype(np.float64)

    def label(table: Columns) -> NDArray[np.int64]:
        x = numbers(table)
        logit = (
            1.2 * (np.log(x[:, 1]) - 10.2)
            + 0.8 * (x[:, 5])
            + 0.05 * (x[:, 0] - 45) * np.where(x[:, 9] > 0, 1, -1)
            + 0.25 * (x[:, 3] - 6)
        )
        return (draws.random(len(x)) < 1 / (1 + np.exp(-2 * logit))).astype(np.int64)

    trained = []
    for spoiled in (False, True):
        table = customers(TRAINING, draws)
        answers = label(table)
        if spoiled:
            for plan in plans:
                wrong = _inside(plan, table) & (draws.random(TRAINING) < 0.5)
                answers = np.where(wrong, 1 - answers, answers)
        model = HistGradientBoostingClassifier(max_iter=60, random_state=int(draws.integers(2**31)))
        trained.append(model.fit(numbers(table), answers))
    labels, truth = label(columns), label(population)
    old, new = (model.predict_proba(numbers(columns))[:, 1] for model in trained)
    everywhere = (truth, *(model.predict_proba(numbers(population))[:, 1] for model in trained))
    return labels, old, new, _harm(everywhere)
