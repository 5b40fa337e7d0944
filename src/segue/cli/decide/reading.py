"""The tables that the subcommands read: ids and answers, and labelled samples with answers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from segue.cli.decide.arguments import Columns
from segue.errors import InputError

if TYPE_CHECKING:
    from numpy.typing import NDArray

SHOWN_NAMES = 5


class Table(dict[str, "NDArray[Any]"]):
    """Columns by their role; ``told`` is what messages call the table."""

    told: str
    names: Mapping[str, str]


def read_table(path: str, argument: str, wanted: Mapping[str, str]) -> Table:
    """Read columns, in the order of the ids where there are any: two runs must see the samples in the same order.

    Args:
        path: The table.
        argument: What the command line calls it.
        wanted: The columns' names by their role.

    Returns:
        The columns by role.

    Raises:
        InputError: If the table can't be read or is empty, a column or a value is missing, or an id repeats.
    """
    import re

    import numpy as np

    from segue.flips.checks import class_column, counted, missing_values
    from segue.flips.table.forms import class_form, id_form
    from segue.flips.table.opening import opened

    try:
        with opened(path, None, None) as (engine, _):
            told = engine.describe("old")
            _refuse_missing_columns(told, engine.names("old"), wanted)
            kinds = engine.read("old", list(dict.fromkeys(wanted.values())), ())
            forms = {
                role: (name, (id_form if role == "id" else class_form)(kinds[name], f"{told}: column {name!r}"))
                for role, name in wanted.items()
            }
            engine.project("old", forms, distinct=False)
            order = " ORDER BY id" if "id" in wanted else ""
            found = engine.table(f"SELECT {', '.join(wanted)} FROM old_side AS o{order}", "reading")
    except InputError as error:
        raise InputError(re.sub(r"^old(?=:? )", argument, str(error))) from error  # not within the name of a file
    table = Table()
    table.told, table.names = told, wanted
    for role, name in wanted.items():
        values = np.asarray(found[role])
        if len(values) == 0:
            raise InputError(f"{told} has no rows; check that it was written to its end")
        empty = int(missing_values(values).sum())
        if empty:
            raise InputError(
                f"{told}: column {name!r} has {counted(empty, 'missing value')}; complete it, or remove these samples"
            )
        table[role] = class_column(values, f"{told}: column {name!r}")
    if "id" in wanted:
        ids, counts = np.unique(table["id"], return_counts=True)
        if (counts > 1).any():
            twice = ids[counts > 1]
            raise InputError(
                f"{told}: column {wanted['id']!r} repeats {counted(len(twice), 'value')} ({first_names(twice)}); every "
                f"sample needs an id of its own"
            )
    return table


def read_labelled(path: str, columns: Columns, earlier: Sequence[str] = ()) -> Table:
    """Read labelled samples with a model's answers.

    Args:
        path: The table.
        columns: How its columns are called.
        earlier: Columns with earlier models' answers, oldest first; their roles are ``earlier0`` and so on.

    Returns:
        The columns by role.
    """
    answers = columns.labelled_prediction or columns.prediction
    wanted = {f"earlier{place}": name for place, name in enumerate(earlier)}
    source = read_table(path, "LABELLED", {"label": columns.label, "prediction": answers, **wanted})
    for role in ("prediction", *wanted):
        refuse_other_type(source, role, source, "label")
    return source


def refuse_other_type(one: Table, role: str, other: Table, other_role: str) -> None:
    """Refuse classes that are written as strings here and as integers there.

    Args:
        one: A table.
        role: Its column with classes.
        other: Another table, or the same.
        other_role: Its column with classes.

    Raises:
        InputError: If the two differ in type.
    """
    held = ["strings" if table[key].dtype.kind == "U" else "integers" for table, key in
            ((one, role), (other, other_role))]  # fmt: skip
    if held[0] != held[1]:
        raise InputError(
            f"{one.told}: column {one.names[role]!r} holds {held[0]} but {other.told}: column "
            f"{other.names[other_role]!r} holds {held[1]}; write classes in the same way"
        )


def first_names(values: NDArray[Any]) -> str:
    """Return the first few names, for a message."""
    from segue.congruent.decisions.reading import some

    return some(values, most=SHOWN_NAMES)


def _refuse_missing_columns(told: str, names: Any, wanted: Mapping[str, str]) -> None:
    import difflib

    for key, name in wanted.items():
        role = key.rstrip("0123456789")
        if name not in names:
            close = difflib.get_close_matches(name, names, n=1)
            hint = f"did you mean {close[0]!r}?" if close else f"there are {', '.join(map(repr, list(names)[:8]))}"
            raise InputError(f"{told}: there is no column {name!r} ({role}); {hint}")
