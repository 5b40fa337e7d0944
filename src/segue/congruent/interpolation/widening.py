"""A wider network that answers like the old one, so that a new model of another width can begin from old weights."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.modules.conv import _ConvTransposeNd

from segue.congruent.interpolation.agreement import averageable, check_module, copied, same_layers, tensors_of
from segue.congruent.interpolation.head import Head, find_head, read_classes
from segue.congruent.interpolation.inputs import inputs_of
from segue.errors import InputError
from segue.training.asking import outputs_of
from segue.training.data import TrainingData
from segue.training.seeds import kept_globals

LOOKED_AT = 64  # samples on which both networks must agree
_TABLES = (nn.Embedding, nn.EmbeddingBag)
CLOSE = 1e-3  # of the largest logit: what sums of another order may differ by


def widen(
    old: nn.Module,
    new: nn.Module,
    inputs: Any,
    *,
    class_map: Sequence[int] | Tensor | None = None,
    head: Collection[str] | None = None,
) -> nn.Module:
    r"""Put an old model's weights into a wider network of the same layers, without changing an answer.

    With the old units first and the new ones after them, a layer's weights become

    .. math:: W = \begin{pmatrix} W_{old} & 0 \\ V_{old} & V_{new} \end{pmatrix}

    where ``V`` are the fresh weights that the wide network came with: old units do not listen to new ones, new units
    listen to all. Training then begins at the old model's answers, and interpolation towards the old model ends at
    them, as if the architecture had not changed. The idea of a larger network that starts with a smaller one's function
    is Net2Net's (Chen, Goodfellow and Shlens, ICLR 2016), which copies old units where this leaves the new ones fresh.

    This is right for linear and convolutional layers, BatchNorm, activations and residual sums of them. Where a layer
    mixes all units (LayerNorm, attention heads, grouped convolutions) no such network exists; since shapes can't tell,
    both networks are asked about ``inputs``, and the wide one is refused unless it answers alike.

    Args:
        old: The old model.
        new: A model with fresh weights: the same layers by name, none of them narrower.
        inputs: A few samples, with or without labels: a tensor ``(n, ...)``, a mapping of such, or what
            ``segue.training`` takes as data. The first 64 are looked at.
        class_map: Where the class sets differ, the new class of each old class, ``(old classes,)``, -1 where it is
            gone. The head's rows of new classes stay fresh.
        head: Names of the tensors with one row per class (or of the layer that holds them), for a ``class_map`` whose
            head can't be told by its shape.

    Returns:
        A new model in evaluation mode, with the new model's class and device.

    Raises:
        InputError: If the layers differ otherwise than in width, or the wide network would not answer alike.

    Example:
        >>> old = nn.Sequential(nn.Linear(2, 3), nn.ReLU(), nn.Linear(3, 2))
        >>> new = nn.Sequential(nn.Linear(2, 5), nn.ReLU(), nn.Linear(5, 2))
        >>> x = torch.randn(4, 2)
        >>> torch.allclose(widen(old, new, x)(x), old(x), atol=1e-6)
        True
    """
    check_module(old, "old")
    check_module(new, "new")
    samples = inputs_of(inputs, "inputs")
    rows = wide_head(old, new, samples, class_map, head)
    same_layers(old, new, ("old", "new"))
    first, second = tensors_of(old), tensors_of(new)
    for has, lacks, which, without in ((first, second, "old", "new"), (second, first, "new", "old")):
        more = [name for name in has if name not in lacks]
        if more:
            raise InputError(f"{which} has weights that {without} lacks ({more[0]!r}); only the width may differ")
    model = copied(new, "new")
    # In a transposed convolution the units that are listened to come first.
    turned = {f"{name}.weight" for name, layer in model.named_modules() if isinstance(layer, _ConvTransposeNd)}
    # In a table of embeddings the columns are the units: new ones stay fresh, since old ones do not listen to them.
    tables = {f"{name}.weight" for name, layer in model.named_modules() if isinstance(layer, _TABLES)}
    with torch.no_grad():
        for name, target in tensors_of(model).items():
            if name in turned:
                _place(name, first[name].transpose(0, 1), target.transpose(0, 1), None)
            elif name in tables:
                _place(name, first[name].transpose(0, 1), target.transpose(0, 1), None, listening=False)
            else:
                _place(name, first[name], target, rows if name in rows.names else None)
    _check_answers(old, model, samples, class_map)
    return model


def wide_head(
    old: nn.Module,
    new: nn.Module,
    samples: TrainingData,
    class_map: Sequence[int] | Tensor | None,
    head: Collection[str] | None = None,
) -> Head:
    """Find the tensors with a row per class in two models whose other layers differ in shape, too.

    Args:
        old: The old model.
        new: The new one.
        samples: Samples, for the number of new classes.
        class_map: The new class of each old class; ``None`` where the classes are the same.
        head: Names of the tensors or of the layer that holds them.

    Returns:
        The head; one without names where the classes are the same.

    Raises:
        InputError: If there is no such layer, or more than one.
    """
    if class_map is None:
        return find_head({}, {}, None, head)
    kept, known = read_classes(class_map), _answers(old, samples, 1).shape[1]
    if len(kept) != known:
        raise InputError(f"class_map names {len(kept)} old classes, but the old model knows {known}")
    first, second = tensors_of(old), tensors_of(new)
    if head is None:
        classes = _answers(new, samples, 1).shape[1], known
        fitting = [
            name
            for name, tensor in first.items()
            if name in second and tensor.dim() and (len(second[name]), len(tensor)) == classes
        ]
        layers = {name.rpartition(".")[0] for name in fitting}
        if len(layers) != 1:
            raise InputError(
                f"{len(layers)} layers have {classes[1]} rows in old and {classes[0]} in new; name the one with a row "
                f"per class with head=[...]"
            )
        head = fitting
    head = [head] if isinstance(head, str) else head
    # The rows alone: how many columns a row has is the width, which differs.
    narrow = {name: tensor[..., :1] if tensor.dim() > 1 else tensor for name, tensor in first.items()}
    wide = {name: tensor[..., :1] if tensor.dim() > 1 else tensor for name, tensor in second.items()}
    named = [name for name in first if any(name == one or name.startswith(f"{one}.") for one in head)]
    return find_head(
        {name: narrow[name] for name in named}, {name: wide[name] for name in named if name in wide}, class_map, head
    )


def _place(name: str, old: Tensor, target: Tensor, head: Head | None, *, listening: bool = True) -> None:
    counted = slice(0 if head is None else 1, 2)  # classes may be gone: a head's rows are looked at elsewhere
    fits = old.dim() == target.dim() and all(
        ours <= theirs for ours, theirs in zip(old.shape[counted], target.shape[counted], strict=True)
    )
    if not fits or old.shape[2:] != target.shape[2:] or old.dtype != target.dtype:
        raise InputError(
            f"{name!r} is {tuple(old.shape)} of {old.dtype} in old and {tuple(target.shape)} of {target.dtype} in new; "
            f"only the number of units may differ, and only to more"
        )
    old = old.detach().to(target.device)
    if not averageable(old):
        if old.shape != target.shape:
            raise InputError(f"{name!r} is a table of {old.dtype} with another shape in new; only units may be added")
        target.copy_(old)
        return
    if not torch.isfinite(old).all():
        raise InputError(f"{name!r} of old holds NaN or infinity; train the model again or mend its file")
    if old.dim() == 0:
        target.copy_(old)
        return
    if head is None:
        here, there = torch.arange(len(old)), torch.arange(len(old))
    else:
        here, there = head.new_rows, head.old_rows
    here, there = here.to(target.device), there.to(target.device)
    if old.dim() == 1:
        target[here] = old[there]
        return
    rows = torch.zeros_like(target[here]) if listening else target[here].clone()
    rows[:, : old.shape[1]] = old[there]
    target[here] = rows


def _check_answers(
    old: nn.Module, model: nn.Module, samples: TrainingData, class_map: Sequence[int] | Tensor | None
) -> None:
    ours, theirs = _answers(old, samples), _answers(model, samples)
    if class_map is None:
        if ours.shape != theirs.shape:
            raise InputError(
                f"old knows {ours.shape[1]} classes and new {theirs.shape[1]}; pass class_map=[new class of each old "
                f"class]"
            )
    else:
        kept = torch.as_tensor(class_map).cpu()
        ours, theirs = ours[:, kept >= 0], theirs[:, kept[kept >= 0]]
    apart = float((ours - theirs).abs().max())
    if not apart <= CLOSE * float(ours.abs().max()):
        raise InputError(
            f"with the old weights inside, the wide model's logits differ from the old one's by {apart:.2g}; layers "
            f"that mix units or join them elsewhere (LayerNorm, attention, concatenation, recurrent gates) can't be "
            f"widened: begin from fresh weights"
        )


def _answers(model: nn.Module, samples: TrainingData, most: int = LOOKED_AT) -> Tensor:
    with kept_globals():  # a dataset's samples are drawn from the global generators
        batch = next(iter(samples.plain([torch.arange(min(most, len(samples)))])))
    try:
        return outputs_of(model, (batch.inputs, batch.labels))
    except InputError:
        raise
    except Exception as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise InputError(f"a model can't answer the inputs ({reason}); both must read the same ones") from error
