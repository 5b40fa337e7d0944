"""Training a map on pairs: one short loop for all trained adapters, deterministic from its seed.

It is not ``segue.training.fit``, which trains classifiers: its labels are classes, its validation an accuracy. A map's
targets are vectors, it stops where held-out pairs stop improving, and it is trained on some thousands of rows in
memory within seconds, so that there is nothing to resume.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from typing import Any, Generic, TypeVar

import torch
from torch import Tensor, nn
from torch.optim import Optimizer
from torch.optim.lr_scheduler import LambdaLR

from segue.errors import DivergedError, InputError
from segue.flips.checks import counted
from segue.training.algorithms import repeating
from segue.training.progress import bar
from segue.training.seeds import drawn_from, generator


@dataclass(frozen=True, slots=True)
class MapEpoch:
    """One pass over the pairs.

    Attributes:
        epoch: Its number, from 1; 0 is the start, before any training.
        loss: Mean of the loss over the pairs, as they were met; NaN at the start.
        held_out: The loss on the pairs that were held out, after the epoch; ``None`` where none were.
        seconds: Wall-clock seconds since training began.
    """

    epoch: int
    loss: float
    held_out: float | None
    seconds: float


@dataclass(frozen=True, slots=True)
class MapHistory:
    """How a map was trained.

    Attributes:
        epochs: The epochs.
        chosen: The epoch whose weights were kept: the last one, where no pairs were held out.
    """

    epochs: tuple[MapEpoch, ...]
    chosen: int

    def to_dict(self) -> dict[str, Any]:
        """Return plain numbers, ready for JSON."""
        return {"chosen": self.chosen, "epochs": [asdict(epoch) for epoch in self.epochs]}

    def __str__(self) -> str:
        """Return in words what training came to."""
        last = self.epochs[-1]
        told = f"{counted(last.epoch, 'epoch')} in {last.seconds:.1f} s, the loss of the last {last.loss:.4f}"
        held_out = {epoch.epoch: epoch.held_out for epoch in self.epochs}
        if last.held_out is None:
            return f"{told}."
        return (
            f"{told}; on held-out pairs {held_out[0]:.4f} at the start and {held_out[self.chosen]:.4f} after epoch "
            f"{self.chosen}, which was kept."
        )


Network = TypeVar("Network", bound=nn.Module)


@dataclass(frozen=True)
class Task(Generic[Network]):
    """A network that is to be trained on pairs.

    Attributes:
        network: The network; trained in place.
        loss: The mean loss of some pairs, given their rows ``(m,)``.
        optimizer: The optimiser over its parameters.
    """

    network: Network
    loss: Callable[[Tensor], Tensor]
    optimizer: Optimizer


@dataclass(frozen=True)
class Course:
    """How a network is trained.

    Attributes:
        owner: The adapter's name, for messages and the bar.
        epochs: Passes over the pairs that the learning rate's half cosine spans.
        batch_size: Pairs of a step, at most; the last step of an epoch is no smaller than the others, but for one pair.
        seed: Seed of the order.
        warm_up: Epochs in which the learning rate rises.
    """

    owner: str
    epochs: int
    batch_size: int
    seed: int
    warm_up: int = 0


def train(
    task: Task[Any],
    rows: Tensor,
    course: Course,
    *,
    held_out: Tensor | None = None,
    patience: int = 0,
    stop: int | None = None,
    before_epoch: Callable[[int], None] | None = None,
) -> MapHistory:
    """Train a network; with held-out pairs, keep the weights of the epoch that was best on them.

    Args:
        task: The network, its loss and optimiser.
        rows: Rows of the pairs to train on, ``(n,)``.
        course: How to train.
        held_out: Rows of the pairs to watch; none by default. Then the start counts as an epoch as well.
        patience: Epochs without a better one after which training stops.
        stop: Epochs after which training stops in any case, with the learning rate as it then stands.
        before_epoch: Called with the number of each epoch, from 1, when the network is in training mode.

    Returns:
        What happened.

    Raises:
        DivergedError: If the loss is not finite.
    """
    steps, last = -(-len(rows) // course.batch_size), course.epochs if stop is None else stop
    schedule = LambdaLR(task.optimizer, half_cosine(course.epochs * steps, course.warm_up * steps))
    begun = time.perf_counter()
    watched = None if held_out is None else _watched(task, held_out)
    told = [MapEpoch(0, float("nan"), watched, 0.0)]
    best, kept = told[0], _copied(task.network)
    with bar(course.owner, last * steps, True) as shown:
        for epoch in range(1, last + 1):
            task.network.train()
            if before_epoch is not None:
                before_epoch(epoch)
            order = rows[torch.randperm(len(rows), generator=generator(course.seed, "order", epoch))]
            total = 0.0
            for batch in order.tensor_split(steps):
                total += _step(task, batch) * len(batch)
                schedule.step()
            loss = total / len(rows)
            if not abs(loss) < float("inf"):
                raise DivergedError(f"the loss of {course.owner} is {loss} in epoch {epoch}; pass a smaller rate")
            watched = None if held_out is None else _watched(task, held_out)
            told.append(MapEpoch(epoch, loss, watched, time.perf_counter() - begun))
            shown.step(epoch * steps, loss)
            if watched is None or best.held_out is None or watched < best.held_out:
                best = told[-1]
                kept = kept if watched is None else _copied(task.network)
            elif epoch - best.epoch >= patience:
                break
    if held_out is not None:
        task.network.load_state_dict(kept)
    task.network.eval()
    return MapHistory(tuple(told), best.epoch)


def train_on_all(
    begin: Callable[[Tensor], Task[Network]], pairs: int, course: Course, *, share: float, patience: int
) -> tuple[Network, MapHistory]:
    """Find on held-out pairs how many epochs are best, then train as many on all pairs.

    A network that begins at a closed form is then left there, where training does not help.

    Args:
        begin: Makes the network anew, as it begins when it knows these rows.
        pairs: How many pairs there are.
        course: How to train.
        share: Share of the pairs to hold out.
        patience: Epochs without a better one after which the first training stops.

    Returns:
        The network that was trained on all pairs, and the history of the first training.

    Raises:
        DivergedError: If the loss is not finite.
    """
    order = torch.randperm(pairs, generator=generator(course.seed, "held out"))
    watched = max(1, round(share * pairs))
    history = train(begin(order[watched:]), order[watched:], course, held_out=order[:watched], patience=patience)
    everything = torch.arange(pairs)
    whole = begin(everything)
    train(whole, everything, course, stop=history.chosen)
    return whole.network, history


def half_cosine(steps: int, warm_up: int = 0) -> Callable[[int], float]:
    """Return a learning rate's factor by the step: up in a line, then down along half a cosine.

    Args:
        steps: Steps in all.
        warm_up: Steps in which it rises.

    Returns:
        The factor at each step, from 0 on.

    Example:
        >>> factor = half_cosine(steps=6, warm_up=2)
        >>> [round(factor(step), 3) for step in range(6)]
        [0.5, 1.0, 1.0, 0.854, 0.5, 0.146]
    """

    def factor(step: int) -> float:
        if step < warm_up:
            return (step + 1) / warm_up
        done = min(1.0, (step - warm_up) / max(1, steps - warm_up))
        return float(0.5 * (1 + torch.cos(torch.tensor(torch.pi * done, dtype=torch.float64))))

    return factor


@contextmanager
def repeatable(seed: int, owner: str) -> Generator[None, None, None]:
    """Let all chance in the block come from the seed, and leave the program's generators as they were.

    Args:
        seed: The seed.
        owner: What it is for.

    Yields:
        Nothing.
    """
    with drawn_from(seed, owner), repeating(True):
        yield


def known_device(name: str) -> torch.device:
    """Return the device to train on.

    Args:
        name: What the caller passed, such as ``"cpu"`` or ``"cuda"``.

    Returns:
        The device.

    Raises:
        InputError: If there is no such device here.
    """
    try:
        device = torch.device(name)
        torch.empty(0, device=device)
    except (RuntimeError, AssertionError, TypeError, NotImplementedError) as error:
        raise InputError(f"device is {name!r}, which torch does not find here; pass 'cpu'") from error
    return device


def _step(task: Task[Any], batch: Tensor) -> float:
    task.optimizer.zero_grad()
    loss = task.loss(batch)
    loss.backward()  # type: ignore[no-untyped-call]
    task.optimizer.step()
    return float(loss.detach())


def _watched(task: Task[Any], rows: Tensor) -> float:
    task.network.eval()
    with torch.no_grad():
        return float(task.loss(rows))


def _copied(network: nn.Module) -> dict[str, Tensor]:
    return {name: tensor.detach().clone() for name, tensor in network.state_dict().items()}
