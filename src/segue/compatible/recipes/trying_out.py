"""What an update's functions make, looked at before anything is trained."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from segue.compatible.recipes.update import Update
from segue.errors import InputError
from segue.training import TrainingData
from segue.training.asking import answering
from segue.training.forward import call, logits_of, on_device
from segue.training.seeds import kept_globals


def check_made(update: Update, network: Any) -> None:
    """Refuse functions that make something else than they should.

    Args:
        update: The update.
        network: What its ``build`` made.

    Raises:
        InputError: If that is no module, or optimiser or schedule are none.
    """
    if not isinstance(network, nn.Module):
        raise InputError(f"build returned a {type(network).__name__}; let it return a torch.nn.Module")
    optimizer = update.optimizer(network.parameters())
    if not isinstance(optimizer, Optimizer):
        raise InputError(f"optimizer returned a {type(optimizer).__name__}; let it return a torch.optim.Optimizer")
    if update.schedule is not None:
        schedule = update.schedule(optimizer, 100)
        if not hasattr(schedule, "step"):
            raise InputError(
                f"schedule returned a {type(schedule).__name__}; let it return a schedule of torch.optim.lr_scheduler, "
                "or leave it out"
            )


def dimension_of(network: nn.Module, data: TrainingData) -> int:
    """Ask a network about two training samples.

    Args:
        network: The network.
        data: The training samples.

    Returns:
        Columns of its embeddings.

    Raises:
        InputError: If it returns no embeddings, or not in the precision that heads and losses have.
    """
    with kept_globals():  # a dataset's samples are drawn from the global generators
        batch = next(iter(data.plain([torch.arange(min(2, len(data)))])))
    place = next((parameter.device for parameter in network.parameters()), torch.device("cpu"))
    with answering(network):
        found = logits_of(call(network, on_device(batch.inputs, place)), "network that build makes")
    check_shape(found)
    wanted = torch.get_default_dtype()
    if found.dtype != wanted:
        raise InputError(
            f"the network that build makes returned {_told(found.dtype)}, and heads are {_told(wanted)}; convert it "
            f"and its inputs to {_told(wanted)}, and pass fabric=Fabric(precision=...) to train in another precision"
        )
    return found.shape[1]


def check_shape(embeddings: Tensor) -> None:
    """Refuse what is no embedding, one row a sample.

    Args:
        embeddings: What a network returned.

    Raises:
        InputError: If it has not two axes.
    """
    if embeddings.dim() != 2:
        raise InputError(
            f"the network that build makes returned the shape {tuple(embeddings.shape)}; it should return embeddings "
            "(n, d_new)"
        )


def _told(dtype: torch.dtype) -> str:
    return str(dtype).removeprefix("torch.")
