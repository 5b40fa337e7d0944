"""Go over to another set of classes: what is known of the old ones is carried to the new."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import special

from segue.congruent.decisions.class_sets import ClassMap, class_set, positions, targets
from segue.congruent.decisions.reading import log_prior
from segue.congruent.decisions.state import State
from segue.errors import InputError
from segue.flips.checks import class_column


def changed_classes(
    state: State, class_map: ClassMap, classes: Sequence[Any] | None, prior: Mapping[Any, float] | None
) -> State:
    r"""Return the state in another set of classes.

    The likelihood of all answers so far under a class that several old ones lead to is their mean (the true old class
    is one of them, each as probable); under a class that none leads to, it is that of answers that say nothing.

    Args:
        state: The state in the old classes.
        class_map: What each old class is called now.
        classes: All new classes; by default those that the map leads to.
        prior: How frequent each new class is; all equally by default.

    Returns:
        A new state.

    Raises:
        InputError: If the map lacks a class, leads to none of the new ones, or drops one that is a stored label, or
            the store has a prior and ``prior`` is missing.
    """
    wanted = targets(class_map, state.classes)
    reached = [value for values in wanted.values() for value in values]
    found = class_set(reached if classes is None else list(classes), "classes")
    if prior is None and not np.allclose(state.log_prior, state.log_prior[0]):
        raise InputError("the store has a prior of its own for the old classes; pass prior= for the new ones")
    leads = [_positions(values, found) for values in wanted.values()]
    gone = [old for place, old in enumerate(wanted) if not len(leads[place]) and (state.labels == place).any()]
    if gone:
        raise InputError(
            f"class_map drops {', '.join(map(repr, gone))}, which is a stored label; map it to the class that takes "
            f"its place"
        )
    likelihood = np.empty((len(state.ids), len(found)))
    for target in range(len(found)):
        parts = [place for place, leading in enumerate(leads) if target in leading]
        likelihood[:, target] = _mean(state.log_likelihood[:, parts]) if parts else state.log_unknown
    votes = np.zeros((len(state.ids), len(found)), dtype=np.uint16)
    first = np.array([leading[0] if len(leading) else 0 for leading in leads])
    for place, leading in enumerate(leads):
        if len(leading):
            votes[:, leading[0]] += state.votes[:, place]
    generation = state.history[-1]["generation"]
    event = {"event": "classes changed", "generation": generation, "name": f"{len(found)} classes"}
    return State(
        ids=state.ids,
        classes=found,
        labels=first[state.labels],
        log_likelihood=likelihood,
        log_unknown=state.log_unknown,
        log_prior=log_prior(prior, found),
        votes=votes,
        history=[*state.history, event],
    )


def _positions(values: Sequence[Any], classes: NDArray[Any]) -> NDArray[np.int64]:
    if not values:
        return np.array([], dtype=np.int64)
    return positions(class_column(list(values), "class_map"), classes, "class_map", "name every new class in classes")


def _mean(logs: NDArray[np.float64]) -> NDArray[np.float64]:
    mean: NDArray[np.float64] = special.logsumexp(logs, axis=1) - np.log(logs.shape[1])
    return mean
