"""Which weights the old model's answers depend on: the diagonal of its empirical Fisher information."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import Tensor, nn
from torch.func import functional_call, grad, vmap

from segue.congruent.interpolation.agreement import copied
from segue.congruent.interpolation.inputs import inputs_of
from segue.errors import InputError
from segue.training.forward import Inputs, call, logits_of, on_device
from segue.training.progress import bar
from segue.training.seeds import kept_globals

Gradients = dict[str, Tensor]


def diagonal_fisher(old: nn.Module, data: Any, *, batch_size: int = 32, progress: bool = True) -> dict[str, Tensor]:
    r"""Measure how strongly the old model's answers depend on each of its weights.

    .. math::
        F_j = \frac{1}{Z} \sum_i \left(\frac{\partial \log p_\theta(\hat y_i \mid x_i)}{\partial \theta_j}\right)^2,
        \qquad \hat y_i = \arg\max_y p_\theta(y \mid x_i)

    The gradient is taken sample by sample at the class that the model predicts, no label is read; ``Z`` makes the mean
    over all weights 1, as Fisher BCWI asks (Schumann et al., EACL 2024, and their code). Gradients of a batch's samples
    are taken together by ``torch.func.vmap`` where the model allows it, else one sample at a time.

    Args:
        old: The old model; a copy of it in evaluation mode answers.
        data: Training inputs of the update: a tensor ``(n, ...)``, a mapping of such, a pair ``(inputs, labels)`` or a
            map-style dataset (its labels are not read).
        batch_size: Samples whose gradients are held in memory at a time, each as large as the model.
        progress: Whether to show a bar on stderr, if it is a terminal.

    Returns:
        ``F`` by parameter, in the parameter's shape, at least float32; a tied parameter stands under each of its names.

    Raises:
        InputError: If the data can't be read, the model gives no logits, or all gradients are zero or not finite.

    Example:
        >>> line = nn.Linear(2, 2, bias=False)
        >>> _ = nn.init.zeros_(line.weight)
        >>> diagonal_fisher(line, torch.tensor([[1.0, 3.0]]))["weight"]  # (0.5 x)^2 / mean
        tensor([[0.2000, 1.8000],
                [0.2000, 1.8000]])
    """
    if not isinstance(batch_size, int) or batch_size < 1:
        raise InputError(f"batch_size is {batch_size!r}; pass a whole number from 1")
    model = copied(old, "old").requires_grad_(False)
    parameters: Gradients = {name: weight for name, weight in model.named_parameters() if weight.is_floating_point()}
    if not parameters:
        raise InputError("old has no weights; there is nothing to interpolate")
    sums = {name: torch.zeros_like(weight, dtype=torch.float64) for name, weight in parameters.items()}
    device = next(iter(parameters.values())).device
    squares: Callable[[nn.Module, Gradients, Inputs], Gradients] = _together
    samples = inputs_of(data, "data")
    done = 0
    with kept_globals(), bar("Fisher information", len(samples), progress) as shown:
        for batch in samples.plain(torch.split(torch.arange(len(samples)), batch_size)):
            inputs = on_device(batch.inputs, device)
            try:
                found = squares(model, parameters, inputs)
            except InputError:
                raise
            except Exception:
                if squares is _one_by_one:
                    raise
                # What vmap can't do, one sample at a time can; a fault of the model itself comes up again there.
                squares = _one_by_one
                found = squares(model, parameters, inputs)
            for name, value in found.items():
                sums[name] += value
            done += len(batch.index)
            shown.step(done)
    return _rescaled(sums, model)


def _log_likelihood(model: nn.Module, parameters: Gradients, inputs: Inputs) -> Tensor:
    one = {name: value[None] for name, value in inputs.items()} if isinstance(inputs, Mapping) else inputs[None]
    arguments = ((), dict(one)) if isinstance(one, Mapping) else ((one,), {})
    return _likeliest(functional_call(model, parameters, *arguments))


def _likeliest(output: Any) -> Tensor:
    logits = logits_of(output, "old model")
    if logits.dim() != 2 or logits.shape[0] != 1:
        raise InputError(
            f"the old model returned logits of shape {tuple(logits.shape)} for one sample; let it return (1, classes)"
        )
    return logits.log_softmax(dim=1).max(dim=1).values[0]


def _together(model: nn.Module, parameters: Gradients, inputs: Inputs) -> Gradients:
    def gradient(sample: Inputs) -> Gradients:
        found: Gradients = grad(lambda weights: _log_likelihood(model, weights, sample))(parameters)
        return found

    gradients: Gradients = vmap(gradient)(inputs)
    return {name: value.double().square().sum(dim=0) for name, value in gradients.items()}


def _one_by_one(model: nn.Module, parameters: Gradients, inputs: Inputs) -> Gradients:
    count = len(next(iter(inputs.values()))) if isinstance(inputs, Mapping) else len(inputs)
    for weight in parameters.values():
        weight.requires_grad_(True)
    sums = {name: torch.zeros_like(weight, dtype=torch.float64) for name, weight in parameters.items()}
    for place in range(count):
        part = slice(place, place + 1)
        one = {name: value[part] for name, value in inputs.items()} if isinstance(inputs, Mapping) else inputs[part]
        found = torch.autograd.grad(_likeliest(call(model, one)), list(parameters.values()), allow_unused=True)
        for name, part_of in zip(parameters, found, strict=True):
            if part_of is not None:
                sums[name] += part_of.double().square()
    return sums


def _rescaled(sums: Gradients, model: nn.Module) -> Gradients:
    mean = sum(float(value.sum()) for value in sums.values()) / sum(value.numel() for value in sums.values())
    if not 0 < mean < float("inf"):
        told = "zero" if mean == 0 else "not finite"
        raise InputError(
            f"the old model's gradients on data are all {told}, so that its Fisher information says nothing; look at "
            f"its logits, or interpolate without fisher"
        )
    by_tensor = {id(weight): sums[name] for name, weight in model.named_parameters() if name in sums}
    return {
        name: (by_tensor[id(weight)] / mean).to(torch.promote_types(weight.dtype, torch.float32))
        for name, weight in model.named_parameters(remove_duplicate=False)
        if id(weight) in by_tensor
    }
