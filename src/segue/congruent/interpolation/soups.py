"""Model soup: one model whose weights are the mean of several (Wortsman et al., ICML 2022)."""

from __future__ import annotations

from collections.abc import Iterable

import torch
from torch import Tensor, nn

from segue.congruent.interpolation.agreement import agree, averageable, check_module, copied, tensors_of
from segue.errors import InputError


def soup(models: Iterable[nn.Module]) -> nn.Module:
    r"""Average the weights of several new models that were fine-tuned from the same old one.

    .. math:: \theta = \frac{1}{M} \sum_m \theta_m

    Soup BCWI (Schumann et al., EACL 2024) interpolates towards it: ``interpolate(old, soup(news), alpha)``. Means are
    taken in double precision; a soup of identical models is that model bit for bit. BatchNorm statistics are averaged
    too, which is a poor guess: see :func:`segue.congruent.interpolation.recalibrate`.

    Args:
        models: The models; none is changed.

    Returns:
        A new model in evaluation mode, with the first model's class and device.

    Raises:
        InputError: If there is none, or their weights can't be averaged.

    Example:
        >>> news = [nn.Linear(1, 1, bias=False) for _ in range(2)]
        >>> _ = nn.init.constant_(news[0].weight, 1.0), nn.init.constant_(news[1].weight, 4.0)
        >>> soup(news).weight.item()
        2.5
    """
    if isinstance(models, nn.Module) and not isinstance(models, nn.ModuleList):
        raise InputError("models is a single module; pass a list of models")
    members = list(models)
    if not members:
        raise InputError("models is empty; pass the models to average")
    for place, member in enumerate(members):
        check_module(member, f"models[{place}]")
        agree(members[0], member, names=("models[0]", f"models[{place}]"))
    model = copied(members[0], "models[0]")
    tensors = [tensors_of(member) for member in members]
    with torch.no_grad():
        for name, target in tensors_of(model).items():
            if averageable(target) and not all(torch.equal(target, found[name].to(target.device)) for found in tensors):
                target.copy_(_mean([found[name].to(target.device) for found in tensors]))
    return model


def _mean(tensors: list[Tensor]) -> Tensor:
    # The running mean leaves elements that agree as they are; where infinities agree, their difference is no number.
    wide = torch.promote_types(tensors[0].dtype, torch.float64)
    mean = tensors[0].to(wide)
    for count, tensor in enumerate(tensors[1:], start=2):
        value = tensor.to(wide)
        mean = torch.where(value == mean, mean, mean + (value - mean) / count)
    return mean
