"""BatchNorm statistics of a model that was made, not trained: measured anew on training inputs."""

from __future__ import annotations

from typing import Any

import torch
from torch import nn
from torch.nn.modules.batchnorm import _BatchNorm

from segue.congruent.interpolation.agreement import copied
from segue.congruent.interpolation.inputs import inputs_of
from segue.errors import InputError
from segue.training.forward import call, on_device
from segue.training.seeds import generator, kept_globals


def recalibrate(model: nn.Module, data: Any, *, batch_size: int = 256) -> nn.Module:
    r"""Measure a model's BatchNorm statistics anew.

    The activations of an averaged network do not have the average of the statistics (Izmailov et al., UAI 2018, section
    3.2, for averaged weights). Each layer's running mean and variance become those of the batches seen, weighted by the
    batches' sizes:

    .. math:: \mu = \sum_b \frac{n_b}{n}\,\mu_b, \qquad \sigma^2 = \sum_b \frac{n_b}{n}\,\sigma^2_b

    with :math:`\sigma^2_b` unbiased, as torch has it. Samples are shuffled (always in the same way), and batches differ
    by one sample at most. All else is in evaluation mode: unlike ``torch.optim.swa_utils.update_bn``, which puts the
    whole model into training mode, no dropout disturbs the statistics. BatchNorm layers that keep no statistics are
    left alone, and a model without BatchNorm comes back as a mere copy.

    Args:
        model: The model; not changed.
        data: Training inputs, never test inputs: a tensor ``(n, ...)``, a mapping of such, a pair ``(inputs, labels)``
            or a map-style dataset (its labels are not read).
        batch_size: Samples per batch; one more where a single one would be left over.

    Returns:
        A copy in evaluation mode with new statistics.

    Raises:
        InputError: If the data can't be read, a batch is too small for a variance, or statistics are not finite.

    Example:
        >>> made = recalibrate(nn.Sequential(nn.BatchNorm1d(1)), torch.tensor([[1.0], [2.0], [6.0]]))
        >>> made[0].running_mean, made[0].running_var
        (tensor([3.]), tensor([7.]))
    """
    fresh = copied(model, "model")
    measure_statistics(fresh, data, batch_size)
    return fresh


@torch.no_grad()
def measure_statistics(model: nn.Module, data: Any, batch_size: int = 256) -> None:
    """Do what :func:`recalibrate` does, to the model itself; it is left in evaluation mode.

    Args:
        model: The model.
        data: Training inputs.
        batch_size: Samples per batch; one more where a single one would be left over.

    Raises:
        InputError: See there.
        ValueError: Whatever the model itself raises.
    """
    if not isinstance(batch_size, int) or batch_size < 2:
        raise InputError(f"batch_size is {batch_size!r}; statistics of a batch need a whole number from 2")
    samples = inputs_of(data, "recalibration")
    layers = [layer for layer in model.modules() if isinstance(layer, _BatchNorm) and layer.running_mean is not None]
    model.eval()
    if not layers:
        return
    momenta = [layer.momentum for layer in layers]
    device = next(iter(layers[0].buffers())).device
    order = torch.randperm(len(samples), generator=generator(0, "recalibration"))
    count = -(-len(samples) // batch_size)
    parts = torch.tensor_split(order, max(1, min(count, len(samples) // 2)))
    try:
        for layer in layers:
            layer.reset_running_stats()
            layer.train()
        seen = 0
        with kept_globals():
            for batch in samples.plain(parts):
                seen += len(batch.index)
                for layer in layers:
                    layer.momentum = len(batch.index) / seen
                call(model, on_device(batch.inputs, device))
    except ValueError as error:
        if "more than 1 value per channel" not in str(error):
            raise
        raise InputError(
            f"recalibration has {len(samples)} sample, which has no variance; pass more training inputs"
        ) from error
    finally:
        for layer, momentum in zip(layers, momenta, strict=True):
            layer.momentum = momentum
        model.eval()
    statistics = [buffer for layer in layers for buffer in layer.buffers() if buffer.is_floating_point()]
    if not all(bool(torch.isfinite(statistic).all()) for statistic in statistics):
        raise InputError("recalibration gives BatchNorm statistics that are not finite; look for NaN in the inputs")
