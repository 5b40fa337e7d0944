"""What is trained: the new network, and what its loss needs beside it."""

from __future__ import annotations

from typing import Any

from torch import Tensor, nn
from torch.nn import functional

from segue.compatible.recipes.objective import Objective
from segue.compatible.recipes.trying_out import check_shape
from segue.training.forward import call, logits_of


class Learner(nn.Module):
    """A network and an objective whose parameters (heads, a discriminator) are trained with it.

    Args:
        embedder: Inputs to embeddings; this is what is kept in the end.
        objective: The loss; it is asked by the training loop, and stands here for its parameters.
    """

    def __init__(self, embedder: nn.Module, objective: Objective) -> None:
        super().__init__()
        self.embedder = embedder
        self.objective = objective

    def forward(self, inputs: Any = None, **named: Tensor) -> Tensor:
        """Return the embeddings, filled up with zeros to one column per class, which the training loop asks for.

        Args:
            inputs: The network's input; or pass its inputs by name.
            named: The network's inputs by name.

        Returns:
            ``(n, max(d_new, classes))``.

        Raises:
            InputError: If the network returns no embeddings, one row per sample.
        """
        embeddings = logits_of(call(self.embedder, named or inputs), "network")
        check_shape(embeddings)
        return functional.pad(embeddings, (0, max(0, self.objective.head.classes - embeddings.shape[1])))
