"""What the rules that mix two models' answers share: the choice on validation data, measuring, saving."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from segue.congruent.decisions.bound import loss_bound, safe_candidates
from segue.congruent.decisions.class_sets import ClassMap
from segue.congruent.decisions.pairs import ClassPair, Pair
from segue.congruent.decisions.replacing import replacing
from segue.congruent.decisions.validation import Validation
from segue.errors import InputError
from segue.flips import compare
from segue.flips.checks import proportion, same_length

VALIDATED = ("labels", "old_probabilities", "new_probabilities")
Answering = Callable[[Pair, float], NDArray[np.int64]]


def choose(
    answer: Answering,
    settings: Sequence[float],
    labels: ArrayLike,
    old: Any,
    new: Any,
    *,
    margin: float,
    confidence: float,
    classes: Sequence[Any] | None,
    old_classes: Sequence[Any] | None,
    class_map: ClassMap | None,
) -> tuple[float, ClassPair, Validation]:
    """Choose the setting with the fewest negative flips among those that keep to the margin.

    Args:
        answer: The rule: both models' probabilities and a setting to positions of answers.
        settings: The settings, the first of which is the new model itself.
        labels: The truth of the validation samples, ``(n,)``.
        old: The old model's probabilities or logits, or its stored answers.
        new: The new model's probabilities, or its logits.
        margin: The accuracy that may be lost against the new model, a share.
        confidence: Probability with which the setting keeps to it, at least.
        classes: The new model's classes; 0, 1, ... by default.
        old_classes: The old model's; the new one's by default.
        class_map: The new class of each old one, where names differ.

    Returns:
        The setting (the least of several that are equally good), the classes, and what was found.

    Raises:
        InputError: If anything is not as described.
    """
    proportion(confidence, "confidence")
    if not (np.isfinite(margin) and 0 <= margin < 1):
        raise InputError(f"margin is {margin}; pass the share of accuracy that may be lost, such as 0.01 for a point")
    known = ClassPair.of(old, new, classes, old_classes, class_map)
    known = known.with_outputs(old, new, VALIDATED[1:])
    pair = known.read(old, new, VALIDATED[1:])
    truth = known.labels(labels)
    same_length({"labels": truth, "old_probabilities": pair.old, "new_probabilities": pair.new})
    right_old, right_new = pair.old_answers == truth, pair.new_answers == truth
    tried = (answer(pair, setting) == truth for setting in settings)
    safe = safe_candidates(right_new, tried, margin, confidence)
    broken = [int((right_old & (answer(pair, settings[place]) != truth)).sum()) for place in safe]
    best = safe[int(np.argmin(broken))]
    said = answer(pair, settings[best])
    right = said == truth
    lost, won = int((right_new & ~right).sum()), int((right & ~right_new).sum())
    bound = loss_bound(lost, won, len(truth), confidence) if best else 0.0
    by_new, by_rule = (compare(truth, pair.old_answers, answers) for answers in (pair.new_answers, said))
    return settings[best], known, Validation.of(by_new, by_rule, margin, confidence, bound)


def write_rule(found: dict[str, Any], path: str | os.PathLike[str]) -> None:
    """Write a rule as JSON; a process that is killed meanwhile leaves the former file whole.

    Args:
        found: The rule.
        path: The file.

    Raises:
        InputError: If it can't be written.
    """
    with replacing(path) as file:
        file.write((json.dumps(found, indent=2, ensure_ascii=False, allow_nan=False) + "\n").encode("utf-8"))


def read_rule(path: str | os.PathLike[str], schema: str) -> dict[str, Any]:
    """Read a rule.

    Args:
        path: The file.
        schema: Which rule it must hold.

    Returns:
        The rule.

    Raises:
        InputError: If there is no such file, or it is damaged or something else.
    """
    told = Path(path).name
    try:
        found = json.loads(Path(path).read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise InputError(f"there is no file {str(path)!r}; check the path") from error
    except (OSError, ValueError) as error:
        raise InputError(
            f"{told} can't be read as JSON ({str(error).splitlines()[0]}); check that it is whole"
        ) from error
    if not isinstance(found, dict) or found.get("schema") != schema:
        raise InputError(f"{told} holds no rule of the schema {schema!r}; name a file that its save() wrote")
    return found
