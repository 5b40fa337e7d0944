"""Both models' probabilities on the same samples, brought to the new model's classes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from segue.congruent.decisions.class_sets import ClassMap, positions, targets
from segue.congruent.decisions.outputs import Outputs, outputs_of, probabilities_of, same_outputs
from segue.errors import InputError
from segue.flips.answers import read_predictions
from segue.flips.checks import as_array, class_column, same_length

NAME_THEM = "name the classes of all columns with classes= and old_classes="
MAP_THEM = "say which new class each old one is now with class_map="


@dataclass(frozen=True, eq=False)
class Pair:
    """Both models' probabilities of the new model's classes.

    Attributes:
        old: The old model's, or 1 at its answer where only that is stored, ``(n, classes)``.
        new: The new model's, ``(n, classes)``.
    """

    old: NDArray[np.float64]
    new: NDArray[np.float64]

    @property
    def old_answers(self) -> NDArray[np.int64]:
        """Position of the old model's answer, ``(n,)``."""
        return np.asarray(self.old.argmax(axis=1))

    @property
    def new_answers(self) -> NDArray[np.int64]:
        """Position of the new model's answer, ``(n,)``."""
        return np.asarray(self.new.argmax(axis=1))


@dataclass(frozen=True)
class ClassPair:
    """The classes of both models.

    Attributes:
        new: The new model's classes, one for each of its columns.
        old: The old model's classes, one for each of its columns.
        place: For each old class, the position of the new class that it is now.
        stored_answers: Whether the old model's answers alone are known, not its probabilities.
        outputs: Whether the models put out probabilities or logits; ``None`` before it was looked at.
    """

    new: tuple[Any, ...]
    old: tuple[Any, ...]
    place: tuple[int, ...]
    stored_answers: bool
    outputs: Outputs | None = None

    @classmethod
    def of(
        cls, old: Any, new: Any, classes: Sequence[Any] | None, old_classes: Sequence[Any] | None,
        class_map: ClassMap | None,
    ) -> ClassPair:  # fmt: skip
        """Find the classes of both models.

        Args:
            old: The old model's probabilities ``(n, old classes)`` or stored answers ``(n,)``.
            new: The new model's probabilities, ``(n, classes)``.
            classes: The new model's classes; 0, 1, ... by default.
            old_classes: The old model's; the new one's by default.
            class_map: The new class of each old one, where names differ.

        Returns:
            The classes.

        Raises:
            InputError: If an old class has no new one, or several.
        """
        columns = as_array(new, "new_probabilities")
        if columns.ndim != 2:
            raise InputError(
                f"new_probabilities has shape {columns.shape}; pass one column per class, (n, classes): the answer "
                f"alone does not say how sure the new model is"
            )
        names = list(range(columns.shape[1])) if classes is None else np.asarray(classes).tolist()
        theirs = names if old_classes is None else np.asarray(old_classes).tolist()
        known = class_column(list(names), "classes")
        if len(np.unique(known)) != len(known):
            raise InputError("classes names a class twice; every column is a class of its own")
        wanted = {value: [value] for value in theirs}
        if class_map is not None:
            wanted = targets(class_map, np.unique(class_column(list(theirs), "old_classes")))
        unclear = [value for value in theirs if len(wanted[value]) != 1]
        if unclear:
            raise InputError(
                f"class_map sends {unclear[0]!r} to {len(wanted[unclear[0]])} classes; to keep an old answer, it must "
                f"stand for one new class"
            )
        order = np.argsort(known)
        leading = class_column([wanted[value][0] for value in theirs], "old_classes")
        place = order[positions(leading, known[order], "old_classes", MAP_THEM)]
        return cls(tuple(names), tuple(theirs), tuple(place.tolist()), as_array(old, "old_probabilities").ndim == 1)

    def with_outputs(self, old: Any, new: Any, names: tuple[str, str]) -> ClassPair:
        """Find out whether the models put out probabilities or logits, which is told better from many samples.

        Args:
            old: The old model's probabilities or logits ``(n, old classes)``, or its stored answers ``(n,)``.
            new: The new model's probabilities or logits, ``(n, classes)``.
            names: What the caller calls them.

        Returns:
            The same classes, for such outputs.

        Raises:
            InputError: If one model's are probabilities and the other's logits, or it can't be told.
        """
        outputs = outputs_of(self._matrix(new, names[1], self.new), names[1])
        if not self.stored_answers:
            outputs = same_outputs(outputs_of(self._matrix(old, names[0], self.old), names[0]), outputs, names)
        return replace(self, outputs=outputs)

    def read(self, old: Any, new: Any, names: tuple[str, str]) -> Pair:
        """Read both models' outputs.

        Args:
            old: The old model's probabilities or logits ``(n, old classes)``, or its stored answers ``(n,)``.
            new: The new model's probabilities or logits, ``(n, classes)``.
            names: What the caller calls them.

        Returns:
            Probabilities of the new model's classes.

        Raises:
            InputError: If shapes are not as described, values are missing, a stored answer is none of the classes, or
                the outputs are logits where they were probabilities or the other way round.
        """
        given = as_array(old, names[0])
        if (given.ndim == 1) != self.stored_answers:
            expected = "answers (n,)" if self.stored_answers else f"probabilities (n, {len(self.old)})"
            raise InputError(f"{names[0]} has shape {given.shape}; the rule was fitted with the old model's {expected}")
        if self.outputs is None:  # read from a file of a former version
            return self.with_outputs(old, new, names).read(old, new, names)
        of_new = probabilities_of(self._matrix(new, names[1], self.new), self.outputs, names[1])
        if self.stored_answers:
            known = class_column(list(self.old), "old_classes")
            order = np.argsort(known)
            said = order[positions(class_column(given, names[0]), known[order], names[0], NAME_THEM)]
            of_old = np.zeros((len(said), len(self.old)))
            of_old[np.arange(len(said)), said] = 1.0
        else:
            of_old = probabilities_of(self._matrix(old, names[0], self.old), self.outputs, names[0])
        same_length({names[0]: of_old, names[1]: of_new})
        brought = np.zeros((len(of_old), len(self.new)))
        for column, place in enumerate(self.place):
            brought[:, place] += of_old[:, column]
        return Pair(brought, of_new)

    def labels(self, values: Any) -> NDArray[np.int64]:
        """Return the positions of labels among the new model's classes, ``(n,)``."""
        known = class_column(list(self.new), "classes")
        order = np.argsort(known)
        return np.asarray(order[positions(class_column(values, "labels"), known[order], "labels", NAME_THEM)])

    def named(self, place: NDArray[np.int64]) -> NDArray[Any]:
        """Return the classes at some positions, ``(n,)``."""
        return np.asarray(class_column(list(self.new), "classes")[place])

    def to_dict(self) -> dict[str, Any]:
        """Return the classes, ready for JSON."""
        return {
            "classes": list(self.new),
            "old_classes": list(self.old),
            "place": list(self.place),
            "stored_answers": self.stored_answers,
            "outputs": self.outputs,
        }

    @classmethod
    def from_dict(cls, found: dict[str, Any]) -> ClassPair:
        """Return the classes that ``to_dict`` wrote.

        Args:
            found: What it wrote.

        Returns:
            The classes.

        Raises:
            ValueError: If they were for outputs of an unknown kind.
        """
        outputs = found.get("outputs")
        if outputs not in {None, "probabilities", "logits"}:
            raise ValueError(f"outputs is {outputs!r}")
        return cls(
            tuple(found["classes"]), tuple(found["old_classes"]), tuple(int(one) for one in found["place"]),
            bool(found["stored_answers"]), outputs,
        )  # fmt: skip

    def _matrix(self, values: Any, name: str, classes: tuple[Any, ...]) -> NDArray[np.float64]:
        if as_array(values, name).ndim != 2:
            raise InputError(f"{name} has shape {as_array(values, name).shape}; pass (n, {len(classes)})")
        if read_predictions(values, name, list(classes)).probabilities is None:
            raise InputError(f"{name} has one column; pass one for each of the {len(classes)} classes")
        return as_array(values, name).astype(np.float64)
