"""Training inputs whose labels, if they have any, are not read."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from segue.errors import InputError
from segue.training.data import TensorData, TrainingData, as_data


def inputs_of(data: Any, name: str) -> TrainingData:
    """Read inputs with or without labels.

    Args:
        data: A tensor ``(n, ...)``, a mapping of such, or what ``segue.training`` takes as data.
        name: What the caller calls them.

    Returns:
        The data; the labels of bare inputs are zeros.

    Raises:
        InputError: If they can't be read, or there are none.
    """
    if not isinstance(data, Tensor | Mapping):
        return as_data(data, name)
    tensors = list(data.values()) if isinstance(data, Mapping) else [data]
    if not tensors or any(not isinstance(tensor, Tensor) or tensor.dim() == 0 for tensor in tensors):
        raise InputError(f"{name} holds something that is no tensor (n, ...); pass tensors with one row per sample")
    if len({len(tensor) for tensor in tensors}) > 1:
        raise InputError(f"the tensors of {name} differ in length; pass one row per sample in each")
    return as_data(TensorData(data, torch.zeros(len(tensors[0]), dtype=torch.int64)), name)
