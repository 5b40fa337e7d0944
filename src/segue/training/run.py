"""What makes a training the same training, so that a checkpoint is not taken for that of another."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from torch import nn

from segue.training.data import TensorData, TrainingData
from segue.training.glance import glance_at
from segue.training.identity import digest_of, settings_of
from segue.training.lookup import Lookup
from segue.training.plan import Plan
from segue.training.rates import learning_rates

if TYPE_CHECKING:
    from torch.optim import Optimizer
    from torch.optim.lr_scheduler import LRScheduler

    from segue.training.step import Loss


def run_of(
    plan: Plan,
    model: nn.Module,
    data: TrainingData,
    loss: Loss,
    references: Lookup,
    optimizer: Optimizer,
    schedule: LRScheduler | None,
    **settings: float | str | None,
) -> dict[str, Any]:
    """Describe a run before its first step.

    Args:
        plan: Its samples and steps.
        model: The model; its first weights are not part of it.
        data: The data; tensors in memory by content, a dataset by its class, its length and some samples.
        loss: The loss, with its settings.
        references: The references, by content.
        optimizer: The optimiser, with its settings.
        schedule: The schedule, with its settings and the learning rates that it gives.
        settings: What else is to be the same, by name.

    Returns:
        Numbers and strings by name.
    """
    tensors = {name: [list(tensor.shape), str(tensor.dtype)] for name, tensor in model.state_dict().items()}
    parameters = sum(parameter.numel() for parameter in model.parameters())
    return {
        **settings_of(plan),
        **settings,
        "model": f"a {type(model).__name__} of {parameters:,} parameters ({digest_of(tensors)})",
        "data": _data(data),
        "loss": _named(loss, digest_of(loss)),
        "references": _references(references),
        "schedule": None if schedule is None else _named(schedule, _rates(schedule, optimizer, plan)),
        "optimizer": type(optimizer).__name__,
        **_settings(optimizer),
    }


def _data(data: TrainingData) -> str:
    kind = "" if isinstance(data, TensorData) else f" of {type(getattr(data, 'dataset', data)).__name__}"
    return f"{len(data):,} samples{kind} ({glance_at(data)})"


def _rates(schedule: LRScheduler, optimizer: Optimizer, plan: Plan) -> str:
    return digest_of([digest_of(schedule.state_dict()), digest_of(learning_rates(schedule, optimizer, plan.steps))])


def _references(references: Lookup) -> str:
    return ", ".join(f"{name} {digest_of(part)}".strip() for name, part in references.parts.items()) or "none"


def _named(thing: Any, digest: str) -> str:
    return f"{getattr(thing, '__name__', type(thing).__name__)} ({digest})"


def _settings(optimizer: Optimizer) -> dict[str, Any]:
    names = sorted({name for group in optimizer.param_groups for name in group} - {"params", "param_names"})
    told = {name: [str(_plain(group.get(name))) for group in optimizer.param_groups] for name in names}
    return {f"optimizer's {name}": ", ".join(dict.fromkeys(values)) for name, values in told.items()}


def _plain(value: Any) -> Any:
    return value.tolist() if hasattr(value, "tolist") else value
