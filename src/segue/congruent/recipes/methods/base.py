"""What a method is: a name, a source, and candidates that are made one after the other."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from segue.congruent.recipes.candidate import Candidate
from segue.congruent.recipes.workshop import Workshop
from segue.errors import DivergedError


@dataclass(frozen=True)
class Method:
    """A way to make the update.

    Attributes:
        name: What users call it.
        source: Paper, or what it is.
        candidates: Makes its candidates, one after the other, cheapest first; what is not asked for is not trained.
        needs_weights: Whether it begins from the old model's weights.
        needs_class_map: Whether it is for class sets that grew.
    """

    name: str
    source: str
    candidates: Callable[[Workshop], Iterator[Candidate]]
    needs_weights: bool = False
    needs_class_map: bool = False

    def applies(self, workshop: Workshop) -> bool:
        """Tell whether the method can be used.

        Args:
            workshop: Where it would run.

        Returns:
            Whether what it needs is there.
        """
        return workshop.can_inherit or not self.needs_weights


def sweep(
    workshop: Workshop, values: Iterable[float], candidates: Callable[[float], Iterator[Candidate]]
) -> Iterator[Candidate]:
    """Try one value of a setting after the other; a training that diverges is noted, and the next value tried.

    Args:
        workshop: Where they are tried.
        values: The setting's values.
        candidates: Makes the candidates of a value.

    Yields:
        The candidates.
    """
    for value in values:
        try:
            yield from candidates(value)
        except DivergedError as error:
            workshop.diverged.append(str(error))
