"""What the references say about a batch: looked up by the samples' index, or asked anew."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from segue.errors import InputError
from segue.training.asking import check_rows
from segue.training.data import Batch
from segue.training.forward import Inputs, call, logits_of
from segue.training.frozen import Frozen
from segue.training.references import Reference

_ALONE = ""


@dataclass(frozen=True)
class Lookup:
    """References, ready to be asked.

    Attributes:
        parts: Logits of all samples, or frozen models, by name; a single one has the empty name.
    """

    parts: Mapping[str, Tensor | Frozen]

    @classmethod
    def of(cls, reference: Reference | Mapping[str, Reference] | None, samples: int, device: torch.device) -> Lookup:
        """Read what a caller passed as reference.

        Args:
            reference: Logits, a model, a mapping of such, or nothing.
            samples: Number of training samples.
            device: Where the models are to answer.

        Returns:
            The references.

        Raises:
            InputError: If logits are not finite, not of shape ``(samples, classes)``, or something else was passed.
        """
        if reference is None:
            return cls({})
        if isinstance(reference, Mapping):
            if not reference:
                raise InputError("reference is an empty mapping; pass {name: logits or model}, or leave it out")
            return cls({name: _read(part, f"reference {name!r}", samples, device) for name, part in reference.items()})
        return cls({_ALONE: _read(reference, "reference", samples, device)})

    def about(self, batch: Batch, inputs: Inputs, device: torch.device) -> list[Tensor | dict[str, Tensor]]:
        """Return what comes between logits and labels in the loss's arguments.

        Args:
            batch: The samples.
            inputs: Their inputs on the device, augmented.
            device: Where the loss is computed.

        Returns:
            Nothing; or the reference's logits; or a mapping of such by name.
        """
        told = {name: _ask(part, batch.index, inputs, device) for name, part in self.parts.items()}
        if not told:
            return []
        return [told[_ALONE]] if _ALONE in told else [told]


def _read(part: object, name: str, samples: int, device: torch.device) -> Tensor | Frozen:
    if isinstance(part, nn.Module):
        return Frozen(part).to(device)
    if not isinstance(part, Tensor):
        raise InputError(f"{name} is a {type(part).__name__}; pass logits (samples, classes) or a torch module")
    if part.dim() < 2 or len(part) != samples:
        raise InputError(f"{name} has shape {tuple(part.shape)} for {samples:,} training samples; pass their logits")
    if not torch.isfinite(part).all():
        place = int((~torch.isfinite(part)).flatten(1).any(dim=1).nonzero()[0])
        raise InputError(f"{name} has values that are not finite, first at sample {place}; compute its logits anew")
    return part.detach()


def _ask(part: Tensor | Frozen, index: Tensor, inputs: Inputs, device: torch.device) -> Tensor:
    if isinstance(part, Frozen):
        logits = logits_of(call(part, inputs), "reference model").float()
        check_rows(logits, len(index), "reference model")
        return logits
    return part.index_select(0, index).to(device)
