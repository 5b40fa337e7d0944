"""The logits of reference models in a trainer's batch: asked of a frozen model, or read from a column."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from torch import Tensor, nn

from segue.errors import InputError
from segue.training.frozen import Frozen

Reference = nn.Module | str
"""A model that is asked about every batch, or the name of the dataset's column with its logits."""


class BatchReferences:
    """What references say about a batch.

    Args:
        references: A model or a column's name, by the reference's name.

    Raises:
        InputError: If one is neither, or a model that can't be copied.
    """

    def __init__(self, references: Mapping[str, Reference]) -> None:
        self.models: dict[str, Frozen] = {}
        self.columns: dict[str, str] = {}
        for name, reference in references.items():
            if isinstance(reference, nn.Module):
                self.models[name] = Frozen(reference)
            elif isinstance(reference, str):
                self.columns[name] = reference
            else:
                raise InputError(
                    f"{name} is a {type(reference).__name__}; pass the model, or the name of the dataset's column that "
                    f"holds its logits"
                )

    def to(self, device: Any) -> None:
        """Move the models to a device.

        Args:
            device: The device.
        """
        for model in self.models.values():
            model.to(device)

    def without_columns(self, batch: Mapping[str, Any]) -> dict[str, Any]:
        """Return a batch without the references' columns, which no model reads.

        Args:
            batch: The batch.

        Returns:
            The rest of it.
        """
        columns = set(self.columns.values())
        return {name: value for name, value in batch.items() if name not in columns}

    def about(self, batch: Mapping[str, Any], inputs: Mapping[str, Any]) -> dict[str, Tensor]:
        """Return what each reference says.

        Args:
            batch: The batch.
            inputs: The models' inputs in it, without labels and columns.

        Returns:
            Logits by the reference's name.

        Raises:
            InputError: If a column is missing, or a model returns no logits.
        """
        found = {name: model(inputs) for name, model in self.models.items()}
        for name, column in self.columns.items():
            if column not in batch:
                raise InputError(
                    f"the batch has no column {column!r} with the logits of the {name} model, but {', '.join(batch)}; "
                    f"add it to the training and the evaluation data, or pass the model itself"
                )
            found[name] = batch[column]
        return found
