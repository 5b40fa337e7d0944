"""Training data by index: the same sample, augmented the same way, for the same seed, epoch and index."""

from __future__ import annotations

import signal
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset, IterableDataset, TensorDataset

from segue.errors import InputError
from segue.training.forward import Inputs
from segue.training.seeds import generator, seed_globals

Augment = Callable[[Inputs, torch.Generator], Inputs]


@dataclass(frozen=True)
class Batch:
    """Some samples.

    Attributes:
        index: Their places in the data, ``(n,)``.
        inputs: The model's inputs, ``(n, ...)`` each.
        labels: The classes, ``(n,)``.
    """

    index: Tensor
    inputs: Inputs
    labels: Tensor


class TrainingData(ABC):
    """Samples that can be asked for by index."""

    @abstractmethod
    def __len__(self) -> int:
        """Return the number of samples."""

    @abstractmethod
    def batches(self, indices: Sequence[Tensor], seed: int, epoch: int) -> Iterator[Batch]:
        """Give the samples of each list of indices, augmented by chance that seed and epoch decide.

        Args:
            indices: Which samples, ``(batch,)`` each.
            seed: Seed of the run.
            epoch: Number of the epoch, from 0.

        Yields:
            One batch for each list.
        """

    @abstractmethod
    def plain(self, indices: Sequence[Tensor]) -> Iterator[Batch]:
        """Give the samples of each list of indices as they are, without augmentation where that is known apart.

        Args:
            indices: Which samples, ``(batch,)`` each.

        Yields:
            One batch for each list.
        """


class TensorData(TrainingData):
    """Samples that are tensors in memory.

    Args:
        inputs: ``(n, ...)``, or a mapping of such tensors that the model takes by name.
        labels: Classes ``(n,)``, integers from 0.
        augment: From a batch's inputs and a generator to augmented inputs; all its chance must come from the
            generator. It is decided by seed, epoch and the batch's first sample, so that a batch that several processes
            share is augmented otherwise than in one.

    Raises:
        InputError: If the numbers of samples differ, or labels are no integers.
    """

    def __init__(self, inputs: Inputs, labels: Tensor, augment: Augment | None = None) -> None:
        named = dict(inputs) if isinstance(inputs, Mapping) else {"inputs": inputs}
        for name, tensor in {**named, "labels": labels}.items():
            if not isinstance(tensor, Tensor):
                raise InputError(f"{name} is a {type(tensor).__name__}; pass a tensor")
        check_labels(labels)
        for name, tensor in named.items():
            if tensor.dim() == 0 or len(tensor) != len(labels):
                rows = "no" if tensor.dim() == 0 else f"{len(tensor):,}"
                raise InputError(f"{name} has {rows} samples but labels has {len(labels):,}; pass one label a sample")
        self.inputs, self.labels, self.augment = inputs, labels.long().cpu(), augment

    def __len__(self) -> int:
        """Return the number of samples."""
        return len(self.labels)

    def _at(self, index: Tensor) -> Inputs:
        if isinstance(self.inputs, Mapping):
            return {name: tensor[index] for name, tensor in self.inputs.items()}
        return self.inputs[index]

    def batches(self, indices: Sequence[Tensor], seed: int, epoch: int) -> Iterator[Batch]:
        """Give the samples of each list of indices, augmented by chance that seed, epoch and first index decide.

        Args:
            indices: Which samples, ``(batch,)`` each.
            seed: Seed of the run.
            epoch: Number of the epoch, from 0.

        Yields:
            One batch for each list.
        """
        for batch in self.plain(indices):
            if self.augment is None:
                yield batch
            else:
                chance = generator(seed, "augment", epoch, int(batch.index[0]))
                yield Batch(batch.index, self.augment(batch.inputs, chance), batch.labels)

    def plain(self, indices: Sequence[Tensor]) -> Iterator[Batch]:
        """Give the samples of each list of indices without augmentation.

        Args:
            indices: Which samples, ``(batch,)`` each.

        Yields:
            One batch for each list.
        """
        for index in indices:
            yield Batch(index, self._at(index), self.labels[index])


class _Seeded(Dataset[tuple[int, Any]]):
    # Seeding before each sample makes augmentation independent of the number of workers and of where a run resumes.
    def __init__(self, dataset: Dataset[Any], seed: int, epoch: int) -> None:
        self.dataset, self.seed, self.epoch = dataset, seed, epoch

    def __getitem__(self, index: int) -> tuple[int, Any]:
        seed_globals(None, self.seed, "sample", self.epoch, index)
        return index, self.dataset[index]


def _leave_interrupts_to_the_main_process(worker: int) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)


class DatasetData(TrainingData):
    """Samples of a map-style ``torch.utils.data.Dataset``, which gives ``(input, label)`` or a mapping with ``labels``.

    Before each sample the global generators of torch, numpy and Python are seeded from (seed, epoch, index), so that
    random transforms inside the dataset do the same with any number of workers and after a resume. ``fit`` and
    ``outputs_of`` put the generators back in the end; whoever asks for batches without them does so by
    ``segue.training.seeds.kept_globals``.

    Args:
        dataset: The dataset.
        workers: Processes that load samples.

    Raises:
        InputError: If it has no length, or is asked for samples by another way than ``[i]``.
    """

    def __init__(self, dataset: Dataset[Any], workers: int = 0) -> None:
        if isinstance(dataset, IterableDataset) or not hasattr(dataset, "__len__"):
            raise InputError(
                f"data is a {type(dataset).__name__}, a dataset without a length or without [i]; pass a map-style "
                f"dataset, which has len() and [i]"
            )
        if not isinstance(workers, int) or workers < 0:
            raise InputError(f"workers is {workers!r}; pass a whole number from 0")
        self.dataset, self.workers = dataset, workers

    def __len__(self) -> int:
        """Return the number of samples."""
        return len(self.dataset)

    def batches(self, indices: Sequence[Tensor], seed: int, epoch: int) -> Iterator[Batch]:
        """Give the samples of each list of indices, loaded by the workers, by chance that seed and epoch decide.

        Args:
            indices: Which samples, ``(batch,)`` each.
            seed: Seed of the run.
            epoch: Number of the epoch, from 0.

        Yields:
            One batch for each list.
        """
        loader = DataLoader(
            _Seeded(self.dataset, seed, epoch),
            batch_sampler=[index.tolist() for index in indices],
            num_workers=self.workers,
            generator=generator(seed, "loader", epoch),
            worker_init_fn=_leave_interrupts_to_the_main_process,
        )
        for index, sample in loader:
            yield Batch(index, *_split(sample))

    def plain(self, indices: Sequence[Tensor]) -> Iterator[Batch]:
        """Give the samples of each list of indices as the dataset does; random transforms draw as in epoch 0 of seed 0.

        Args:
            indices: Which samples, ``(batch,)`` each.

        Yields:
            One batch for each list.
        """
        yield from self.batches(indices, 0, 0)


def as_data(data: Any, name: str = "data", workers: int = 0) -> TrainingData:
    """Read what a caller passed as data.

    Args:
        data: ``TrainingData``; a pair ``(inputs, labels)`` of tensors; or a map-style dataset.
        name: What it is called in the error.
        workers: Processes that load samples, for datasets.

    Returns:
        The data.

    Raises:
        InputError: If it is none of them, or empty.
    """
    found: TrainingData
    if isinstance(data, TrainingData):
        found = data
    elif isinstance(data, DataLoader):
        raise InputError(f"{name} is a DataLoader; pass its dataset, and its batch_size to the call")
    elif isinstance(data, TensorDataset) and len(data.tensors) == 2:
        found = TensorData(*data.tensors)
    elif isinstance(data, tuple | list) and len(data) == 2:
        found = TensorData(*data)
    elif isinstance(data, tuple):
        raise InputError(f"{name} is a tuple of {len(data)}; pass a pair (inputs, labels) of tensors")
    elif hasattr(data, "__getitem__") and not isinstance(data, Mapping | str | Tensor):
        found = DatasetData(data, workers)
    else:
        raise InputError(
            f"{name} is a {type(data).__name__}; pass a pair (inputs, labels) of tensors or a map-style dataset"
        )
    if len(found) == 0:
        raise InputError(f"{name} has no samples")
    return found


def check_labels(labels: Tensor) -> None:
    """Refuse labels that can't be classes.

    Args:
        labels: What is to be checked.

    Raises:
        InputError: If they are not ``(n,)`` integers from 0.
    """
    if labels.dim() != 1 or labels.is_floating_point() or labels.is_complex():
        raise InputError(f"labels is {labels.dtype} of shape {tuple(labels.shape)}; pass classes (n,) as integers")
    if len(labels) and int(labels.min()) < 0:
        place = int((labels < 0).nonzero()[0])
        raise InputError(f"labels[{place}] is {int(labels[place])}; classes are numbered from 0")


def _split(sample: Any) -> tuple[Inputs, Tensor]:
    if isinstance(sample, Mapping):
        for key in ("labels", "label"):
            if key in sample:
                return {name: value for name, value in sample.items() if name != key}, _classes(sample[key])
    elif isinstance(sample, Sequence) and len(sample) == 2:
        return sample[0], _classes(sample[1])
    raise InputError(
        f"a sample of the dataset is a {type(sample).__name__}, not a pair (input, label) or a mapping with 'labels'"
    )


def _classes(labels: Any) -> Tensor:
    if not isinstance(labels, Tensor) or labels.is_floating_point() or labels.is_complex():
        told = str(labels.dtype) if isinstance(labels, Tensor) else type(labels).__name__
        raise InputError(f"the dataset's labels come as {told}; give each sample's class as a whole number from 0")
    return labels.long()
