"""How often the test samples of a compatible training were looked at: a choice made after a look flatters them."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence

    from segue.compatible.recipes import Outcome

FILE = "test-looks.json"


@dataclass(frozen=True)
class Look:
    """A measurement of a pick on test samples.

    Attributes:
        samples: A short hash of the test samples.
        methods: What was tried.
        measure: What quality is.
        margin: The rule's margin.
        pick: The pick in words.
    """

    samples: str
    methods: str
    measure: str
    margin: float
    pick: str


def looked(folder: Path, outcome: Outcome, methods: Sequence[str], samples: Any) -> list[Look]:
    """Write down that a pick was measured on test samples; the same measurement again is no other look.

    Args:
        folder: The training's folder, which keeps the record.
        outcome: The pick.
        methods: What was asked for.
        samples: The test samples.

    Returns:
        Every look at these samples, this one last.

    Raises:
        InputError: If the record is damaged.
    """
    from segue.compatible.recipes.files import read_json, write_json
    from segue.errors import InputError
    from segue.training.data import as_data
    from segue.training.glance import glance_at

    record, remedy = folder / FILE, "it tells how often test samples were measured: name another folder"
    try:
        before = [Look(**one) for one in read_json(record, remedy)["looks"]] if record.exists() else []
    except (KeyError, TypeError) as error:
        raise InputError(f"{str(record)!r} is damaged ({error!r}); {remedy}") from error
    own = Look(
        glance_at(as_data(samples, "test")),
        ", ".join(sorted(methods)),
        outcome.measure,
        outcome.rule.margin,
        outcome.pick.label,
    )
    looks = [*(look for look in before if look != own), own]
    write_json(record, {"looks": [asdict(look) for look in looks]})
    return [look for look in looks if look.samples == own.samples]


def told_looks(looks: Sequence[Look]) -> str:
    """Say how often the test samples were measured.

    Args:
        looks: Every look, the present one last.

    Returns:
        Words after "measured on test samples".

    Example:
        >>> first = Look("0", "auto", "cmc@1", 0.01, "contrastive (strength 1.0)")
        >>> told_looks([first])
        'once, after the choice'
        >>> told_looks([first, Look("0", "auto", "map", 0.01, "contrastive (strength 0.3)")])
        'for the 2nd time: before for contrastive (strength 1.0) (auto, cmc@1, margin 0.01). A choice that was changed \
after a look at them flatters them'
    """
    *before, _ = looks
    if not before:
        return "once, after the choice"
    times = len(looks)
    ending = "th" if 11 <= times % 100 <= 13 else {1: "st", 2: "nd", 3: "rd"}.get(times % 10, "th")
    told = "; ".join(f"{look.pick} ({look.methods}, {look.measure}, margin {look.margin:g})" for look in before)
    return (
        f"for the {times}{ending} time: before for {told}. A choice that was changed after a look at them flatters them"
    )
