"""What all trained maps ask of their settings and of the number of pairs."""

from __future__ import annotations

from typing import Any

from segue.adapters.ranges import above_zero, share, whole_number
from segue.errors import InputError
from segue.flips.checks import counted

# Fewer leave nothing to hold out, or to normalise a batch by.
LEAST_PAIRS = 10


def enough_pairs(pairs: int, owner: str) -> None:
    """Refuse to train on a handful of pairs.

    Args:
        pairs: How many there are.
        owner: The adapter's name.

    Raises:
        InputError: If they are too few.
    """
    if pairs < LEAST_PAIRS:
        raise InputError(
            f"source and target hold {counted(pairs, 'pair')}, and {owner} is trained on at least {LEAST_PAIRS} (and "
            f"better on thousands); pass more, or use Ridge or Procrustes"
        )


def open_share(value: Any, name: str) -> None:
    """Refuse what is no number between 0 and 1.

    Args:
        value: The caller's value.
        name: What the caller calls it.

    Raises:
        InputError: If it is something else, or one of both ends.
    """
    share(value, name)
    if value in {0, 1}:
        raise InputError(f"{name} is {value!r}; pass a number between 0 and 1")


def check_course(epochs: int, batch_size: int, rate: float, seed: int) -> None:
    """Refuse settings that nothing can be trained with.

    Args:
        epochs: Passes over the pairs.
        batch_size: Pairs of a step.
        rate: The learning rate.
        seed: The seed.

    Raises:
        InputError: If one is out of range.
    """
    whole_number(epochs, "epochs", 1)
    whole_number(batch_size, "batch_size", 2)
    above_zero(rate, "rate")
    whole_number(seed, "seed", 0)
