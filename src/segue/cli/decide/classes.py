"""Classes that came and went since the state was written."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from segue.cli.decide.reading import first_names
from segue.errors import InputError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from segue.congruent.decisions import PredictionStore


def fit_classes(store: PredictionStore, seen: NDArray[Any], state: str, class_map: str | None) -> None:
    """Take the stored predictions over to the classes that the new tables hold.

    Args:
        store: The stored predictions.
        seen: All classes in the new tables.
        state: The file of the stored predictions, for messages.
        class_map: The file that says what each class is called now, if one was named.

    Raises:
        InputError: If a class is unknown and no map says where it comes from, or the map lacks or invents one.
    """
    import numpy as np

    if class_map is None:
        if (seen.dtype.kind == "U") != (store.classes.dtype.kind == "U"):
            raise InputError(f"the classes of NEW and those of {state} differ in type; write classes in the same way")
        strangers = np.setdiff1d(seen, store.classes)
        if len(strangers):
            raise InputError(
                f"NEW or LABELLED holds {first_names(strangers)}, which {'is' if len(strangers) == 1 else 'are'} none "
                f"of the classes in {state} ({first_names(store.classes)}); say what each class is called now with "
                f"--class-map FILE"
            )
        return
    from segue.cli.class_map import read_class_map
    from segue.congruent.decisions.class_sets import several

    written = read_class_map(class_map)
    known = {str(one): one for one in store.classes.tolist()}
    unknown = [key for key in written if key not in known]
    if unknown:
        raise InputError(f"--class-map names {unknown[0]!r}, which is none of the classes in {state}; remove it")
    missing = [key for key in known if key not in written]
    if missing:
        raise InputError(f"--class-map lacks {missing[0]!r}; say what every class in {state} is called now")
    text = seen.dtype.kind == "U"
    wanted = {known[key]: [str(one) if text else one for one in several(value)] for key, value in written.items()}
    every = {*seen.tolist(), *(one for values in wanted.values() for one in values)}
    store.change_classes(wanted, classes=sorted(every, key=lambda one: (str(type(one)), one)))
