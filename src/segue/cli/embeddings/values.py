"""Values that stand in different files: compared as text, since not every file keeps their type."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from pyarrow import compute as pc

from segue.errors import InputError
from segue.flips.checks import counted, missing_values

# Digits that are a name, not a number: 007.
NAMED_BY_DIGITS = r"^[+-]?0[0-9]"


def as_text(values: NDArray[Any], where: str, what: str) -> NDArray[np.str_]:
    """Return ids, labels or groups as text.

    Args:
        values: The values, ``(n,)``: integers or strings.
        where: What messages call the column.
        what: What it holds: ``"id"``, ``"label"`` or ``"group"``.

    Returns:
        The same as text.

    Raises:
        InputError: If values are missing, or neither integers nor text.

    Example:
        >>> as_text(np.array([7, 12]), "items.npz: array 'ids'", "id").tolist()
        ['7', '12']
    """
    missing = np.flatnonzero(missing_values(values))
    if len(missing):
        raise InputError(
            f"{where} has {counted(len(missing), 'row')} without {'an' if what == 'id' else 'a'} {what}, first at row "
            f"{missing[0]}; give every row its {what}, or remove these rows"
        )
    kinds = {type(value) for value in values.tolist()} if values.dtype.kind in "OT" else set()
    if values.dtype.kind not in "iubU" and not (kinds and kinds <= {str, int, bool}):
        held = f"{values.dtype}" if values.dtype.kind != "O" else ", ".join(sorted(kind.__name__ for kind in kinds))
        raise InputError(f"{where} holds {held} values; write every {what} as text or as a whole number")
    return values.astype(np.str_)


def numbers_in(text: NDArray[Any]) -> NDArray[Any]:
    """Return text as numbers if every value is one: 7 is a number, 007 is a name.

    Args:
        text: The values, ``(n,)``; None where there is none.

    Returns:
        Integers, floating-point numbers, or the text.

    Example:
        >>> numbers_in(np.array(["7", "12"], dtype=object)).tolist()
        [7, 12]
        >>> numbers_in(np.array(["7", "007"], dtype=object)).tolist()
        ['7', '007']
    """
    column = pa.array(text, type=pa.string())
    for kind in (pa.int64(), pa.float64()):
        try:
            numbers = column.cast(kind)
        except pa.ArrowInvalid:
            continue
        if kind == pa.int64() and not numbers.cast(pa.string()).equals(column):
            continue
        if not pc.any(pc.match_substring_regex(column, NAMED_BY_DIGITS)).as_py():
            return np.asarray(numbers.to_numpy(zero_copy_only=False))
    return text
