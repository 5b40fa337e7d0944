"""Reports to draw, each from a real comparison."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from segue.flips import FlippedSamples, FlipReport, GradedReport, compare, compare_scores

GARMENTS = np.array(["bag", "boot", "coat", "dress", "shirt"])
TEXTS = [
    "Delivered on time, and it fits.",
    "The zip broke after a week of wear; the shop took it back without a word, which I had not expected at all. " * 4,
    "Größer als gedacht, trotzdem schön.",
]


def objects(values: Sequence[Any]) -> NDArray[Any]:
    held = np.empty(len(values), dtype=object)
    held[:] = values
    return held


def png(width: int = 28, height: int = 28, shade: int = 90, mode: str = "L") -> bytes:
    held = io.BytesIO()
    Image.new(mode, (width, height), shade if mode in {"L", "I", "F"} else (shade, 40, 160)).save(held, "PNG")
    return held.getvalue()


def with_columns(report: Any, columns: Mapping[str, NDArray[Any]]) -> Any:
    flips = report.flips
    return replace(report, flips=FlippedSamples({**flips.columns, **columns}, flips.negative, flips.positive))


def classifier(
    samples: int = 600, seed: int = 0, *, discover: bool = False, names: Sequence[str] = GARMENTS
) -> FlipReport:
    """Two classifiers with probabilities, three slice columns, pictures and texts."""
    draws = np.random.default_rng(seed)
    classes = np.array(names)
    label = draws.integers(0, len(classes), samples)
    light = draws.choice(["bright", "dim", "normal"], samples)
    dim = (light == "dim")[:, None]
    old = draws.normal(0, 1, (samples, len(classes))) + 2.2 * np.eye(len(classes))[label]
    new = 0.5 * old + draws.normal(0, 0.8 + 1.2 * dim, (samples, len(classes))) + 1.6 * np.eye(len(classes))[label]
    probabilities = [np.exp(part) / np.exp(part).sum(axis=1, keepdims=True) for part in (old, new)]
    report = compare(
        classes[label],
        *probabilities,
        classes=classes.tolist(),
        slices={"light": light, "shop": draws.integers(1, 6, samples), "price": draws.lognormal(3, 1, samples)},
        discover_slices=discover,
        names=("tree-1", "forest-2"),
    )
    rows = len(report.flips)
    return with_columns(
        report,
        {
            "picture": objects([png(shade=int(shade)) for shade in draws.integers(0, 255, rows)]),
            "review": objects([TEXTS[row % 3] for row in range(rows)]),
            "returned": objects([None if row % 4 == 0 else bool(row % 2) for row in range(rows)]),
            "bought": np.array("2026-01-01", dtype="datetime64[D]") + np.arange(rows),
            "sizes": objects([{"chest": row, "tags": ["new", "red"]} for row in range(rows)]),
        },
    )


def graded(samples: int = 400, seed: int = 1) -> GradedReport:
    """Scores of two versions of a prompt."""
    draws = np.random.default_rng(seed)
    old = draws.beta(4, 2, samples).round(2)
    new = np.clip(old + draws.normal(0.02, 0.15, samples), 0, 1).round(2)
    topic = draws.choice(["billing", "delivery", "returns"], samples)
    return compare_scores(old, new, tolerance=0.1, slices={"topic": topic}, names=("prompt-7", "prompt-8"))


def counted(right: int, broken: int, mended: int, wrong: int, **more: Any) -> FlipReport:
    """Two models of two classes with given counts of the four cells."""
    old = [1] * (right + broken) + [0] * (mended + wrong)
    new = [1] * right + [0] * broken + [1] * mended + [0] * wrong
    return compare([1] * len(old), old, new, **more)


def large(rows: int = 100_000, seed: int = 2) -> FlipReport:
    """As many flipped samples as asked for, with texts, numbers and categories."""
    draws = np.random.default_rng(seed)
    label = draws.integers(0, 50, rows)
    wrong = (label + draws.integers(1, 50, rows)) % 50
    broken = np.arange(rows) % 2 == 0
    old, new = np.where(broken, label, wrong), np.where(broken, wrong, label)
    region = draws.choice(["north", "south", "east", "west"], rows)
    report = compare(label, old, new, slices={"region": region}, ids=np.array([f"sample-{row}" for row in range(rows)]))
    return with_columns(
        report,
        {
            "old_confidence": draws.random(rows),
            "new_confidence": draws.random(rows),
            "length": draws.integers(1, 4000, rows),
            "note": objects([f"note {number} of the day" for number in draws.integers(0, 10**9, rows)]),
        },
    )
