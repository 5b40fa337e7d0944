"""New embeddings as queries on the old gallery and on their own, query by query."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from segue.compatible.embeddings import common_part
from segue.errors import InputError
from segue.flips.checks import counted
from segue.retrieval import Relevance, query_values
from segue.retrieval.measures import named_measure


@dataclass(frozen=True, eq=False)
class Measured:
    """What a network's embeddings of some samples find, each sample searching all others.

    Attributes:
        values: Qualities query by query, ``(m,)``, by the names of the cross test's cells.
        silent: Which samples have zeros alone in the columns that are compared with old embeddings, ``(m,)`` booleans;
            they find nothing in the old gallery.
        columns: How many columns are compared with old embeddings.
    """

    values: dict[str, NDArray[np.float64]]
    silent: NDArray[np.bool_]
    columns: int

    def refuse_silent(self) -> None:
        """Refuse a network that was trained to search the old gallery, and says nothing there.

        Raises:
            InputError: If a sample is silent.
        """
        _refuse_zeros(self.silent, f"in the first {self.columns} columns, which search the old gallery, ")


def refuse_too_deep(measure: str, samples: int) -> None:
    """Refuse a measure that looks at all that there is, and so finds everything.

    Args:
        measure: The measure's name.
        samples: Samples, each of which searches all others.

    Raises:
        InputError: If its rank is not below what a query searches.
    """
    asked = named_measure(measure)
    if asked.k is not None and asked.k >= samples - 1:
        raise InputError(
            f"measure {asked.name!r} looks at the {asked.k:,} nearest, and a query searches "
            f"{counted(samples - 1, 'other sample')}, so that any model finds all; pass a smaller rank, or more samples"
        )


def measure_new(new: Tensor, old: Tensor, measure: str, relevance: Relevance) -> Measured:
    """Let new embeddings search the old gallery, and their own.

    Args:
        new: The new network's embeddings of the samples, ``(m, d_new)``.
        old: The old model's, ``(m, d_old)``.
        measure: What quality is.
        relevance: What each sample is to find.

    Returns:
        The qualities.

    Raises:
        InputError: If a new embedding is not finite, or zero as a whole.
    """
    strange = ~new.isfinite().all(dim=1).numpy()
    if strange.any():
        raise InputError(
            f"the network that build makes returned numbers that are not finite for {_samples(strange)}; look at their "
            "inputs"
        )
    _refuse_zeros(~new.any(dim=1).numpy())
    part = common_part(new, old.shape[1])
    silent = ~part.any(dim=1)
    # a search needs a direction; what is found by the one that stands in is of no account
    towards_old = part.where(~silent[:, None], torch.ones(()))
    found = query_values(measure, towards_old.numpy(), old.numpy(), relevance)
    found[silent.numpy() & ~np.isnan(found)] = 0.0
    itself = query_values(measure, new.numpy(), new.numpy(), relevance)
    return Measured({"new_old": found, "new_new": itself}, silent.numpy(), min(new.shape[1], old.shape[1]))


def _refuse_zeros(these: NDArray[np.bool_], where: str = "") -> None:
    if these.any():
        raise InputError(
            f"the network that build makes returned zeros {where}for {_samples(these)}, which can find nothing; does "
            "it end in a ReLU? Let it end in a linear layer"
        )


def _samples(these: NDArray[np.bool_]) -> str:
    return f"{these.sum():,} of {len(these):,} samples, first sample {int(these.argmax())}"
