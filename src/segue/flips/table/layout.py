"""Where each column of a comparison is found, and the two relations that all queries read.

``old_side`` has the columns ``id``, ``answer`` and, where the source has them, ``label``, ``weight``, ``grp``, ``s0``,
``s1``, ... (slices as they are counted), ``r0``, ... (the same as they are) and ``x0``, ... (columns to show);
``new_side`` likewise. A single table that holds both predictions is ``old_side`` alone, with the new answers in
``other``.
"""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from segue.errors import InputError
from segue.flips.table.engine import Engine
from segue.flips.table.forms import class_form, id_form, score_form, slice_form, what, wider
from segue.flips.table.kinds import Column, Form, Kind
from segue.flips.table.request import Request


@dataclass(frozen=True, slots=True)
class Placed:
    """A column of the user's and where the queries find it, such as ``o.s0``."""

    name: str
    kind: Kind
    sql: str

    @property
    def side(self) -> str:
        """``"old"`` or ``"new"``."""
        return "old" if self.sql.startswith("o.") else "new"

    @property
    def key(self) -> str:
        """The column's name in its relation."""
        return self.sql[2:]


@dataclass(frozen=True)
class Layout:
    """Where the queries find everything.

    Attributes:
        joined: Whether two tables are joined on their ids.
        request: What was asked.
        ids: The id, or ``None`` for one table without ids.
        labels: The label's place in each table that has one.
        old: The old answer or score.
        new: The new answer or score.
        slices: The slice columns, in the form in which they are counted.
        slices_shown: The same columns as they are, to show with flipped samples.
        weight: The sample weight.
        group: The group.
        shown: Further columns to show with flipped samples.
        sources: What the user calls the old and the new table.
    """

    joined: bool
    request: Request
    ids: Placed | None
    labels: tuple[Placed, ...]
    old: Placed
    new: Placed
    slices: tuple[Placed, ...]
    slices_shown: tuple[Placed, ...]
    weight: Placed | None
    group: Placed | None
    shown: tuple[Placed, ...]
    sources: Mapping[str, str]

    @property
    def relation(self) -> str:
        """What a query over all samples reads."""
        return "old_side AS o FULL JOIN new_side AS n ON o.id = n.id" if self.joined else "old_side AS o"

    @property
    def matched(self) -> str:
        """What a query over the samples of both tables reads."""
        return "old_side AS o JOIN new_side AS n ON o.id = n.id" if self.joined else "old_side AS o"

    @property
    def label(self) -> str:
        """The label that counts."""
        prefer = "n." if self.request.treatment.labels_disagree == "new" else "o."
        return next((place.sql for place in self.labels if place.sql.startswith(prefer)), self.labels[0].sql)

    @property
    def labels_needed(self) -> tuple[Placed, ...]:
        """The labels that no sample may lack: one table's are enough where the user chose it."""
        if self.request.treatment.labels_disagree == "refuse":
            return self.labels
        return tuple(place for place in self.labels if place.sql == self.label)

    @property
    def labels_twice(self) -> bool:
        """Whether both tables have the label, so that they may disagree."""
        return len(self.labels) == 2

    def told(self, place: Placed) -> str:
        """Return how a message names a column: the source and the column's name."""
        return f"{self.sources[place.side]}: column {place.name!r}"


def lay_out(engine: Engine, request: Request, *, joined: bool) -> Layout:
    """Find every column, check that it can be what it is asked to be, and make the relations.

    Args:
        engine: Where the sources are.
        request: What is asked.
        joined: Whether there are two tables.

    Returns:
        Where everything is.

    Raises:
        InputError: If a column is missing, or of a kind that its role does not allow.
    """
    sides = ("old", "new") if joined else ("old",)
    names = {side: list(engine.names(side)) for side in sides}
    sources = {side: engine.describe(side) for side in sides}
    wanted: dict[str, dict[str, str]] = {side: {} for side in sides}

    def must(side: str, name: str, key: str, role: str) -> None:
        if name not in names[side]:
            raise InputError(_no_column(sources[side], name, names[side], role))
        wanted[side][key] = name

    def find(name: str, key: str, role: str) -> list[str]:
        found = [side for side in sides if name in names[side]]
        if not found:
            every = list(dict.fromkeys(column for side in sides for column in names[side]))
            raise InputError(_no_column(" and ".join(sources.values()), name, every, role))
        return found

    if request.id is not None:
        for side, name in zip(sides, request.id, strict=False):
            must(side, name, "id", "id")
    elif joined:
        raise InputError("two tables are joined on the samples' ids; name the column with id=")
    must("old", request.answers[0], "answer", "answers of the old model")
    must("new" if joined else "old", request.answers[1], "answer" if joined else "other", "answers of the new model")
    label_sides: list[str] = []
    if request.label is not None:
        label_sides = [side for side, name in zip(sides, request.label, strict=False) if name in names[side]]
        if not label_sides or (request.label[0] != request.label[1] and joined and len(label_sides) < 2):
            lacking = next(side for side in sides if side not in label_sides)
            name = request.label[sides.index(lacking)]
            if label_sides:
                raise InputError(_no_column(sources[lacking], name, names[lacking], "label"))
            find(name, "label", "label")
        for side in label_sides:
            wanted[side]["label"] = request.label[sides.index(side)]

    places: dict[str, list[tuple[str, str, str]]] = {"slice": [], "shown": []}
    single: dict[str, tuple[str, str, str]] = {}
    for number, name in enumerate(request.slices):
        side = find(name, f"s{number}", "slice")[0]
        wanted[side] |= {f"s{number}": name, f"r{number}": name}
        places["slice"].append((name, side, f"s{number}"))
    for role, key, asked in (("weights", "weight", request.weights), ("groups", "grp", request.groups)):
        if asked is not None:
            side = find(asked, key, role)[0]
            wanted[side][key] = asked
            single[role] = (asked, side, key)
    shown_in = {name: find(name, "", "column to show") for name in request.columns}
    for number, (name, found) in enumerate(shown_in.items()):
        for side in found:
            wanted[side][f"x{number}"] = name
            places["shown"].append((name, side, f"x{number}"))

    columns = {
        side: engine.read(side, list(dict.fromkeys(keys.values())), list(request.slices))
        for side, keys in wanted.items()
    }

    def place(side: str, key: str, name: str | None = None) -> Placed:
        column = columns[side][wanted[side][key]]
        return Placed(name or column.name, column.kind, f"{'o' if side == 'old' else 'n'}.{key}")

    layout = Layout(
        joined=joined,
        request=request,
        ids=place("old", "id") if request.id is not None else None,
        labels=tuple(place(side, "label") for side in label_sides),
        old=place("old", "answer"),
        new=place("new", "answer") if joined else place("old", "other"),
        slices=tuple(place(side, key, name) for name, side, key in places["slice"]),
        slices_shown=tuple(place(side, f"r{key[1:]}", name) for name, side, key in places["slice"]),
        weight=place(single["weights"][1], "weight") if "weights" in single else None,
        group=place(single["groups"][1], "grp") if "groups" in single else None,
        shown=_shown([place(side, key, name) for name, side, key in places["shown"]]),
        sources=sources,
    )
    forms = _forms(layout, wanted, columns)

    def project() -> None:
        for side in sides:
            chosen = {key: (name, forms[side][key]) for key, name in wanted[side].items()}
            engine.project(side, chosen, distinct=request.treatment.duplicates == "merge")

    wide = [
        side for side in sides if forms[side].get("id") is Form.INTEGER and wider(columns[side][wanted[side]["id"]])
    ]
    if wide and layout.ids is not None:
        for side in sides:
            forms[side]["id"] = Form.AS_IS
        project()
        text = any(_beyond_64_bits(engine, side) for side in wide)
        for side in sides:
            forms[side]["id"] = Form.TEXT if text else Form.INTEGER
        if text:
            layout = replace(layout, ids=replace(layout.ids, kind=Kind.TEXT))
    project()
    return layout


def _beyond_64_bits(engine: Engine, side: str) -> bool:
    answer = engine.table(
        f"SELECT count(*) AS n FROM {side}_side WHERE id > {2**63 - 1} OR id < -{2**63}", "checking ids"
    )
    return int(answer["n"][0]) > 0


def _shown(found: Sequence[Placed]) -> tuple[Placed, ...]:
    # Floating-point columns that both tables have are each model's own, such as its confidence, and are shown for both;
    # of others the old table's is shown.
    twice = {place.name for place in found if place.side == "new"} & {p.name for p in found if p.side == "old"}
    both = {place.name for place in found if place.name in twice and place.kind is Kind.FLOAT}
    return tuple(
        Placed(f"{place.side}_{place.name}" if place.name in both else place.name, place.kind, place.sql)
        for place in found
        if place.name in both or place.name not in twice or place.side == "old"
    )


def _forms(
    layout: Layout, wanted: Mapping[str, Mapping[str, str]], columns: Mapping[str, Mapping[str, Column]]
) -> dict[str, dict[str, Form]]:
    graded = layout.request.label is None
    found: dict[str, dict[str, Form]] = {}
    for side, keys in wanted.items():
        found[side] = {}
        for key, name in keys.items():
            column = columns[side][name]
            told = f"{layout.sources[side]}: column {name!r}"
            if key in {"answer", "other", "label"}:
                found[side][key] = score_form(column, told) if graded else class_form(column, told)
            elif key == "id":
                found[side][key] = id_form(column, told)
            elif key == "weight":
                found[side][key] = score_form(column, told)
            elif key.startswith("s") and key[1:].isdigit():
                found[side][key] = slice_form(column, told)
            else:
                found[side][key] = Form.TEXT if column.type.upper().startswith("ENUM") else Form.AS_IS
    if not graded:
        anchor = layout.labels[0]
        for place in (*layout.labels[1:], layout.new, layout.old):
            mapped = place is layout.old and layout.request.class_map is not None
            if not mapped and (place.kind is Kind.TEXT) != (anchor.kind is Kind.TEXT):
                raise InputError(
                    f"{layout.told(place)} holds {place.kind.value} but {layout.told(anchor)} holds "
                    f"{anchor.kind.value}; write both in the same way"
                    + (", or pass class_map={old class: new class}" if place is layout.old else "")
                )
    if layout.joined and layout.ids is not None:
        old, new = (columns[side][wanted[side]["id"]] for side in ("old", "new"))
        if old.kind is not new.kind or (old.kind is Kind.OTHER and old.type != new.type):
            raise InputError(
                f"{layout.sources['old']}: id {old.name!r} holds {what(old)} but {layout.sources['new']}: id "
                f"{new.name!r} holds {what(new)}; write the ids in the same way in both"
            )
        if old.kind is Kind.INTEGER and old.type != new.type:
            found["old"]["id"] = found["new"]["id"] = Form.INTEGER
    return found


def _no_column(source: str, name: str, names: Sequence[str], role: str) -> str:
    close = difflib.get_close_matches(name, names, n=1, cutoff=0.6) or [
        other for other in names if other.lower() == name.lower()
    ]
    hint = (
        f"did you mean {close[0]!r}?"
        if close
        else f"there are {', '.join(map(repr, names[:8]))}" + (", ..." if len(names) > 8 else "")
    )
    return f"{source}: there is no column {name!r} ({role}); {hint}"
