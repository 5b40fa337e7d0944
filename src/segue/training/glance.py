"""Some samples of a dataset, so that it is not taken for another of the same length."""

from __future__ import annotations

from collections.abc import Mapping

import torch

from segue.training.data import TensorData, TrainingData
from segue.training.identity import digest_of
from segue.training.seeds import kept_globals

LOOKED_AT = 32


def glance_at(data: TrainingData) -> str:
    """Return a short hash of some samples, spread over the data; of tensors in memory, of all of them.

    Args:
        data: The data.

    Returns:
        16 hexadecimal digits. Where a dataset gives other inputs each time it is asked, by chance that is not the
        global generators', they are of its labels alone.

    Example:
        >>> zeros, ones = (TensorData(torch.full((4, 2), value), torch.arange(4)) for value in (0.0, 1.0))
        >>> glance_at(zeros) == glance_at(zeros), glance_at(zeros) == glance_at(ones)
        (True, False)
    """
    if isinstance(data, TensorData):
        return digest_of([data.inputs, data.labels, data.augment])
    first, second = _looked_at(data), _looked_at(data)
    return digest_of(first if first == second else first[::2])


def _looked_at(data: TrainingData) -> list[str]:
    places = torch.linspace(0, len(data) - 1, min(LOOKED_AT, len(data)), dtype=torch.float64).long()
    found = []
    with kept_globals():
        for batch in data.plain(torch.split(places, 1)):
            named = batch.inputs if isinstance(batch.inputs, Mapping) else {"inputs": batch.inputs}
            found += [digest_of(batch.labels), digest_of({name: named[name] for name in sorted(named)})]
    return found
