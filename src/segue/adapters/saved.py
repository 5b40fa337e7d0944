"""An adapter on disk: plain values as JSON, arrays as safetensors, the folder whole or absent, nothing executed."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeVar
from uuid import uuid4

import numpy as np

import segue
from segue.adapters.base import Adapter
from segue.adapters.kinds import KINDS, kind
from segue.adapters.ranges import whole_number
from segue.errors import InputError, require

FORMAT = 1
CONFIG, WEIGHTS = "config.json", "adapter.safetensors"

AnyAdapter = TypeVar("AnyAdapter", bound=Adapter)


def save(adapter: Adapter, folder: str | os.PathLike[str]) -> None:
    """Write a fitted adapter; a killed process leaves the former one or the new one whole, never half of either.

    Args:
        adapter: The adapter.
        folder: A new or empty folder, or one that holds an adapter, which is replaced.

    Raises:
        InputError: If the folder holds something else, or it can't be written.
    """
    whole = Path(folder).resolve()
    _refuse_foreign(whole, folder)
    beside = whole.with_name(f".{whole.name}.{uuid4().hex}.part")
    try:
        beside.mkdir(parents=True)
        arrays = {name: np.ascontiguousarray(array) for name, array in adapter._state().items()}
        _safetensors().save_file(arrays, beside / WEIGHTS, metadata={"format": "np"})
        (beside / CONFIG).write_text(json.dumps(_told(adapter), indent=2) + "\n", encoding="utf-8")
        for path in (*beside.iterdir(), beside):
            _to_disk(path)
        _put(beside, whole)
    except OSError as error:
        raise InputError(
            f"the adapter can't be written to {str(folder)!r} ({error.strerror}); name another folder"
        ) from error
    finally:
        shutil.rmtree(beside, ignore_errors=True)


def load(folder: str | os.PathLike[str], wanted: type[AnyAdapter]) -> AnyAdapter:
    """Read an adapter.

    Args:
        folder: Its folder.
        wanted: Its class, or ``Adapter`` for any.

    Returns:
        The adapter, fitted.

    Raises:
        InputError: If there is none, it is of another kind, or it is damaged.
    """
    told = _config(Path(folder))
    found = _class(told, wanted, folder)
    try:
        adapter = _made(found, told["params"])
        adapter._check_unit()
        adapter._check()
        for count in ("source_dimension", "target_dimension", "pairs"):
            whole_number(told[count], count, 1)
        adapter.source_dimension, adapter.target_dimension = told["source_dimension"], told["target_dimension"]
        adapter.pairs = told["pairs"]
        adapter._restore(_safetensors().load_file(Path(folder) / WEIGHTS))
    except FileNotFoundError:
        raise InputError(f"{str(folder)!r} holds no {WEIGHTS}; save the adapter again") from None
    except (
        InputError,
        OSError,
        LookupError,
        ValueError,
        TypeError,
        AttributeError,
        RuntimeError,
        _safetensor_error(),
    ) as error:
        reason = (str(error).splitlines() or [type(error).__name__])[0]
        raise InputError(f"the adapter in {str(folder)!r} is damaged ({reason}); save it again") from error
    return adapter


def _told(adapter: Adapter) -> dict[str, Any]:
    return {
        "format": FORMAT,
        "class": type(adapter).__name__,
        "params": _plain(adapter.get_params(deep=False)),
        "source_dimension": adapter.source_dimension,
        "target_dimension": adapter.target_dimension,
        "pairs": adapter.pairs,
        "segue": segue.__version__,
    }


def _plain(params: Mapping[str, Any]) -> dict[str, Any]:
    return {name: _plain_value(name, value) for name, value in params.items()}


def _plain_value(name: str, value: Any) -> Any:
    if isinstance(value, Adapter):
        _refuse_others(name, value)
        return {"class": type(value).__name__, "params": _plain(value.get_params(deep=False))}
    if isinstance(value, (list, tuple)):
        return [_plain_value(f"{name}[{place}]", inner) for place, inner in enumerate(value)]
    plain = value.item() if isinstance(value, np.generic) else value
    if plain is not None and not isinstance(plain, bool | int | float | str):
        raise InputError(f"{name} is a {type(plain).__name__}, which can't be kept; fit with a number or a text there")
    return plain


def _refuse_others(name: str, adapter: Adapter) -> None:
    own = type(adapter).__name__
    if own not in KINDS or kind(own) is not type(adapter):
        raise InputError(f"{name} is a {own}, which is no adapter of Segue and can't be kept")


def _made(found: type[AnyAdapter], params: Mapping[str, Any]) -> AnyAdapter:
    return found(**{name: _made_value(value) for name, value in params.items()})


def _made_value(value: Any) -> Any:
    if isinstance(value, dict):
        return _made(kind(value["class"]), value["params"])
    return [_made_value(inner) for inner in value] if isinstance(value, list) else value


def _config(folder: Path) -> dict[str, Any]:
    try:
        told = json.loads((folder / CONFIG).read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise InputError(
            f"{str(folder)!r} holds no {CONFIG}; name a folder that save_pretrained() has written"
        ) from None
    except (OSError, ValueError) as error:
        raise InputError(
            f"{str(folder / CONFIG)!r} can't be read ({error}); save the adapter in a new folder"
        ) from error
    if not _is_ours(told):
        raise InputError(f"{str(folder / CONFIG)!r} is not of an adapter of Segue; name another folder")
    if told["format"] != FORMAT:
        raise InputError(
            f"the adapter in {str(folder)!r} has format {told['format']}, and this Segue {segue.__version__} reads "
            f"format {FORMAT}; read it with Segue {told['segue']}, or fit it anew"
        )
    return dict(told)


def _class(told: Mapping[str, Any], wanted: type[AnyAdapter], folder: str | os.PathLike[str]) -> type[AnyAdapter]:
    name = told["class"]
    if not isinstance(name, str):
        raise InputError(f"the adapter in {str(folder)!r} is damaged (its class is {name!r}); save it again")
    if name == wanted.__name__:
        return wanted
    if name not in KINDS:
        raise InputError(
            f"{str(folder)!r} holds an adapter of class {name!r}, which Segue {segue.__version__} does not know; read "
            f"it with {name}.from_pretrained() where that class is defined"
        )
    found = kind(name)
    if not issubclass(found, wanted):
        raise InputError(
            f"{str(folder)!r} holds a {name} and no {wanted.__name__}; read it with {name}.from_pretrained() or "
            f"Adapter.from_pretrained()"
        )
    return found  # type: ignore[no-any-return]


def _is_ours(told: Any) -> bool:
    return isinstance(told, dict) and {"format", "class", "params", "pairs", "segue"} <= told.keys()


def _refuse_foreign(whole: Path, folder: str | os.PathLike[str]) -> None:
    if not whole.exists():
        return
    if not whole.is_dir():
        raise InputError(f"{str(folder)!r} is a file; name a folder for the adapter")
    held = {path.name for path in whole.iterdir()}
    foreign = sorted(held - {CONFIG, WEIGHTS}) or ([] if _holds_ours(whole) else sorted(held))
    if foreign:
        raise InputError(
            f"{str(folder)!r} holds something else than an adapter ({foreign[0]!r}); name a new or an empty folder"
        )


def _holds_ours(folder: Path) -> bool:
    try:
        return _is_ours(json.loads((folder / CONFIG).read_text(encoding="utf-8")))
    except (OSError, ValueError):
        return False


def _put(beside: Path, whole: Path) -> None:
    """Give the finished folder its name, and delete what had the name before.

    A folder can't be renamed over one that holds files. So the former one is set aside first, and gets its name back if
    the finished one can't take it. Whoever is killed between these two renames finds no folder of that name: the former
    one then stands beside it, whole, as ``.NAME.*.former``.

    Args:
        beside: The finished folder, in the same place under another name.
        whole: The name it is to have.

    Raises:
        OSError: If a folder can't be renamed.
    """
    former = beside.with_suffix(".former")
    if whole.exists():
        whole.replace(former)
    try:
        beside.replace(whole)
    except OSError:
        if former.exists():
            former.replace(whole)
        raise
    _to_disk(whole.parent)
    shutil.rmtree(former, ignore_errors=True)


def _to_disk(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _safetensors() -> Any:
    return require("safetensors.numpy", "adapters", "keeping an adapter")


def _safetensor_error() -> type[Exception]:
    return require("safetensors", "adapters", "keeping an adapter").SafetensorError  # type: ignore[no-any-return]
