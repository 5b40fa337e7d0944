"""All chance in a training is a function of (seed, what for, where): nothing has to be stored to go on exactly."""

from __future__ import annotations

import hashlib
import random
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import torch


def derive(seed: int, *where: int | str) -> int:
    """Derive the seed of one purpose.

    Args:
        seed: The seed of the run.
        where: What the derived seed is for, such as ``("order", epoch)``.

    Returns:
        A number below 2**63.

    Example:
        >>> derive(0, "order", 1) == derive(0, "order", 1), derive(0, "order", 1) == derive(0, "order", 2)
        (True, False)
    """
    text = ":".join(map(str, (seed, *where)))
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest(), "big") >> 1


def generator(seed: int, *where: int | str) -> torch.Generator:
    """Return a generator on the CPU for one purpose; see :func:`derive`."""
    return torch.Generator().manual_seed(derive(seed, *where))


@contextmanager
def drawn_from(seed: int, *where: int | str) -> Iterator[None]:
    """Seed the global generators of torch (CPU), numpy and Python for a while, and put them back afterwards.

    Args:
        seed: The seed of the run.
        where: What the chance is for.

    Yields:
        Nothing.
    """
    states = torch.get_rng_state(), np.random.get_state(), random.getstate()
    value = derive(seed, *where)
    torch.default_generator.manual_seed(value)
    np.random.seed(value % 2**32)
    random.seed(value)
    try:
        yield
    finally:
        torch.set_rng_state(states[0])
        np.random.set_state(states[1])
        random.setstate(states[2])
