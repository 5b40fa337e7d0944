"""All chance in a training is a function of (seed, what for, where): nothing has to be stored to go on exactly."""

from __future__ import annotations

import hashlib
import random
from collections.abc import Generator
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


def seed_globals(device: torch.device | None, seed: int, *where: int | str) -> None:
    """Seed the global generators of torch, numpy and Python for one purpose.

    Seeding takes some microseconds; looking a state up and putting it back would take more than a hundred. So this is
    called in every step, within one :func:`kept_globals` around all of them.

    Args:
        device: The accelerator whose generator is seeded too; ``None`` or a CPU for none.
        seed: The seed of the run.
        where: What the chance is for.
    """
    value = derive(seed, *where)
    torch.default_generator.manual_seed(value)
    if device is not None and device.type != "cpu":
        torch.get_device_module(device).manual_seed(value)
    np.random.seed(value % 2**32)
    random.seed(value)


@contextmanager
def kept_globals(device: torch.device | None = None) -> Generator[None, None, None]:
    """Put the global generators of torch, numpy and Python back to where they were before the block.

    Args:
        device: The accelerator whose generator is put back too; ``None`` or a CPU for none.

    Yields:
        Nothing.
    """
    states = np.random.get_state(), random.getstate()
    on, kind = ([], "cuda") if device is None or device.type == "cpu" else ([device], device.type)
    try:
        with torch.random.fork_rng(on, device_type=kind):
            yield
    finally:
        np.random.set_state(states[0])
        random.setstate(states[1])


@contextmanager
def drawn_from(seed: int, *where: int | str) -> Generator[None, None, None]:
    """Seed the global generators of torch (CPU), numpy and Python for a while, and put them back afterwards.

    Args:
        seed: The seed of the run.
        where: What the chance is for.

    Yields:
        Nothing.
    """
    with kept_globals():
        seed_globals(None, seed, *where)
        yield
