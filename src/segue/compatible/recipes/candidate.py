"""One way to make the update, as measured on the validation samples."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray
from torch import nn


@dataclass(frozen=True, eq=False)
class Candidate:
    """A successor that could be shipped.

    Attributes:
        method: The method that made it.
        settings: Its settings, such as the strength of what holds it to the old model.
        new_old: Quality of its queries on the old gallery.
        new_new: Quality of its queries on its own gallery.
        run: Name of its training.
        trainings: What it takes to make this one candidate, in plain trainings.
        network: The network, in evaluation mode: inputs to embeddings; not part of ``to_dict()``.
        per_query: Both qualities query by query, ``(q,)`` each; not part of ``to_dict()``.
    """

    method: str
    settings: Mapping[str, Any]
    new_old: float
    new_new: float
    run: str
    trainings: float
    network: nn.Module = field(repr=False)
    per_query: Mapping[str, NDArray[np.float64]] = field(repr=False)

    @property
    def label(self) -> str:
        """Method and settings in words."""
        told = ", ".join(f"{name} {value}" for name, value in self.settings.items())
        return f"{self.method} ({told})" if told else self.method

    def to_dict(self) -> dict[str, Any]:
        """Return plain numbers, ready for JSON."""
        return {
            "method": self.method,
            "settings": dict(self.settings),
            "new_old": self.new_old,
            "new_new": self.new_new,
            "run": self.run,
            "trainings": self.trainings,
        }

    def __str__(self) -> str:
        """Return the candidate in one line."""
        return f"{self.label}: new/old {self.new_old:.2%}, new/new {self.new_new:.2%}"
