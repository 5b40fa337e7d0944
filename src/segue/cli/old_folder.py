"""What an old embedding model left in a folder: its vectors, row by row, and its head. Nothing is unpickled."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from numpy.typing import NDArray

from segue.cli.embeddings.arrays import Npy, Npz
from segue.cli.embeddings.source import unreadable
from segue.cli.searching import in_their_words
from segue.errors import InputError

if TYPE_CHECKING:
    from torch import Tensor

    from segue.compatible.heads import FrozenHead
    from segue.compatible.recipes import StoredEmbeddings

SAMPLES = {"train.npy": "training", "validation.npy": "validation"}
HEADS = "head.npz", "head.safetensors"
OF_HEAD = "weights", "bias", "classes", "scale"


@dataclass(frozen=True, eq=False)
class OldFolder:
    """What the old model left.

    Attributes:
        name: The folder, as it was typed.
        stored: Its embeddings of training and validation samples.
        head: Its head, if there is one.
        told: What messages call the arguments that were read from files.
    """

    name: str
    stored: StoredEmbeddings
    head: FrozenHead | None
    told: Mapping[str, str]

    @property
    def has_test(self) -> bool:
        """Whether there are embeddings of test samples; they are not looked at."""
        return (Path(self.name).expanduser() / "test.npy").is_file()

    def test(self) -> Tensor:
        """Return the embeddings of test samples, which must not happen before the pick.

        Returns:
            ``(t, d_old)``.
        """
        return _vectors(Path(self.name) / "test.npy")


def read_old_folder(name: str) -> OldFolder:
    """Read what the old model left.

    Args:
        name: The folder.

    Returns:
        Its vectors and its head.

    Raises:
        InputError: If something is missing, can't be read, or is not what it should be; the sentence names the file.
    """
    from segue.compatible.recipes import StoredEmbeddings
    from segue.compatible.recipes.update import check_stored

    folder = Path(name).expanduser()
    if folder.is_file():
        raise InputError(f"--compatible-with: {name!r} is a file; name the folder that holds the old model's train.npy")
    if not folder.is_dir():
        raise InputError(f"--compatible-with: there is no folder {name!r}; check the path")
    for file, samples in SAMPLES.items():
        if not (folder / file).is_file():
            raise InputError(
                f"--compatible-with: {name!r} holds no {file}; save the old model's embeddings of the {samples} "
                f"samples there, row by row, with numpy.save"
            )
    known = folder / "known.npy"
    stored = StoredEmbeddings(
        _vectors(folder / "train.npy"), _vectors(folder / "validation.npy"), _known(known) if known.is_file() else None
    )
    told = {f"old.{part}": str(Path(name) / f"{part}.npy") for part in ("train", "validation", "known")}
    with in_their_words(told):
        check_stored(stored, len(stored.train), len(stored.validation))
    return OldFolder(name, stored, _head(Path(name), stored.train.shape[1]), told)


def _vectors(file: Path) -> Tensor:
    import torch

    array = Npy(file.expanduser()).vectors("embedding")
    if array.dtype.kind != "f" or array.dtype.itemsize > 8:
        raise InputError(f"{file} holds {array.dtype} values; save embeddings as float32, (n, dimension)")
    if array.ndim != 2 or 0 in array.shape:
        raise InputError(f"{file} has the shape {array.shape}; save one row per sample, (n, dimension)")
    return torch.from_numpy(array.astype(array.dtype.newbyteorder("=")))  # a copy: the file is only mapped


def _known(file: Path) -> Tensor:
    import torch

    array = Npy(file).vectors("known")
    if array.dtype.kind != "b":
        raise InputError(f"{file} holds {array.dtype} values; save one boolean per training sample, (n,)")
    return torch.from_numpy(array.copy())


def _head(folder: Path, dimension: int) -> FrozenHead | None:
    from segue.compatible.heads import FrozenHead

    found = [folder / name for name in HEADS if (folder.expanduser() / name).is_file()]
    if not found:
        return None
    if len(found) > 1:
        raise InputError(f"--compatible-with: {str(folder)!r} holds {' and '.join(HEADS)}; keep one of them")
    arrays = _arrays(found[0])
    odd = sorted(set(arrays) - set(OF_HEAD))
    if odd or "weights" not in arrays:
        what = f"holds {odd[0]!r}" if odd else "lacks 'weights'"
        raise InputError(f"{found[0]} {what}; call its arrays weights, bias, classes and scale")
    scale, classes = arrays.get("scale"), arrays.get("classes")
    if scale is not None and scale.size != 1:
        raise InputError(f"{found[0]}: scale has the shape {scale.shape}; save one number")
    try:
        head = FrozenHead(
            arrays["weights"].copy(),
            arrays.get("bias"),
            scale=None if scale is None else float(scale.reshape(())),
            class_map=None if classes is None else classes.tolist(),
        )
    except InputError as error:
        said = str(error).replace("class_map", "classes")
        raise InputError(f"{found[0]}: {said}") from error
    if head.dimension != dimension:
        raise InputError(
            f"{found[0]} is for {head.dimension} dimensions and {folder / 'train.npy'} has {dimension}; keep the head "
            f"of the model that made the embeddings"
        )
    return head


def _arrays(file: Path) -> dict[str, NDArray[Any]]:
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    place = file.expanduser()
    if file.suffix == ".npz":
        held = Npz(place)
        return {name: held.vectors(name) for name in held.names}
    try:
        return {
            name: (tensor.float() if tensor.is_floating_point() else tensor).numpy()
            for name, tensor in load_file(place).items()
        }
    except (SafetensorError, OSError) as error:
        raise InputError(unreadable(str(file), "safetensors'", error)) from error
