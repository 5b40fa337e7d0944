"""``segue decide``: keep stored predictions up to date with newer models, without training any."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any

import typer

from segue.cli.numbers import number, whole
from segue.cli.options import sharing
from segue.cli.tables import COLUMNS, ODD, SHOWN, option
from segue.errors import InputError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from segue.congruent.decisions import PredictionStore
    from segue.congruent.decisions.likelihood import AnswerLikelihood
    from segue.congruent.decisions.rules import UpdateRule

HELP = "Keep stored predictions up to date with newer models, without training any: change a label only when it pays."
EXAMPLES = """[bold]Examples[/bold]

segue decide start stored.parquet labelled-v1.csv --state predictions.npz

segue decide next predictions.npz --budget 10% --to ask-v2.csv

segue decide update predictions.npz answers-v2.csv labelled-v2.csv --to labels.parquet"""
METHOD = "How answers are weighed"
RULES = ("cr", "mb", "mbme", "majority", "replace")
SHOWN_NAMES = 5

app = typer.Typer(help=HELP, epilog=EXAMPLES, no_args_is_help=True, rich_markup_mode="rich")

StateFile = Annotated[str, typer.Argument(metavar="STATE", help="The file that 'segue decide start' wrote.")]
LabelledFile = Annotated[
    str,
    typer.Argument(
        metavar="LABELLED",
        help="Labelled samples with this model's answers on them, on which it was not trained: they tell how reliable "
        "it is. A few hundred are enough for ten classes.",
    ),
]
JsonFile = Annotated[str | None, option(SHOWN, "FILE", "Write JSON to a file, or to standard output for -.")]


@dataclass(frozen=True)
class Columns:
    """How the columns are called, and how the confusion is estimated."""

    id: Annotated[str, option(COLUMNS, "COLUMN", "The samples' ids.")] = "id"
    prediction: Annotated[str, option(COLUMNS, "COLUMN", "The model's answers.")] = "prediction"
    label: Annotated[str, option(COLUMNS, "COLUMN", "The truth, in LABELLED.")] = "label"
    labelled_prediction: Annotated[
        str | None, option(COLUMNS, "COLUMN", "The model's answers in LABELLED, where the name differs.")
    ] = None
    confusion: Annotated[
        str,
        option(METHOD, "full|diagonal", "What is estimated: every confusion of two classes, or one rate per class "
               "(for many classes)."),
    ] = "full"  # fmt: skip
    smoothing: Annotated[
        float, option(METHOD, "NUMBER", "Samples' worth of doubt for each class, above 0.", parser=number)
    ] = 1.0


@app.command(
    "start",
    help="Begin with the predictions that are stored today, and write the state.",
    epilog="[bold]Example[/bold]\n\nsegue decide start stored.parquet labelled-v1.csv --state predictions.npz",
)
@sharing(Columns)
def start(
    columns: Columns,
    stored: Annotated[
        str, typer.Argument(metavar="STORED", help="Today's predictions: ids and answers, Parquet, CSV and others.")
    ],
    labelled: LabelledFile,
    state: Annotated[str, option(SHOWN, "FILE", "Where the state goes: a new file NAME.npz.")],
    name: Annotated[
        str | None, option(SHOWN, "NAME", "What the model is called; the name of STORED by default.")
    ] = None,
    json: JsonFile = None,
) -> int:
    """Begin with the predictions that are stored today, and write the state.

    Args:
        columns: How the columns are called.
        stored: The stored predictions.
        labelled: Labelled samples with the same model's answers.
        state: Where the state goes.
        name: What the model is called.
        json: Where JSON goes.

    Returns:
        The exit code, 0.

    Raises:
        InputError: If anything is wrong with the tables or the options.
    """
    import os

    import numpy as np

    from segue.cli.console import check_outputs, out, write
    from segue.cli.outputs.machine import to_json
    from segue.congruent.decisions import PredictionStore

    if not state.lower().endswith(".npz"):
        raise InputError(f"--state is {state!r}; name a file that ends in .npz")
    if os.path.lexists(state):
        raise InputError(
            f"--state: {state!r} exists; go on with 'segue decide update {state} ...', or name another file"
        )
    check_outputs({"--state": state, "--json": json}, [stored, labelled])
    answers = _read(stored, "STORED", {"id": columns.id, "prediction": columns.prediction})
    source = _source(labelled, columns)
    _same_type(answers, "prediction", source, "label")
    classes = np.unique(np.concatenate([answers["prediction"], source["label"], source["prediction"]]))
    store = PredictionStore.create(
        answers["id"], answers["prediction"], _confusion(source, classes, columns), name=name or _stem(stored)
    )
    store.save(state)
    if json is not None:
        found = {"state": state, "samples": len(store), "classes": classes.tolist(), "generation": store.generation}
        write(to_json(found), json, "--json")
    if json != "-":
        out().print(f"{_visible(str(store))}\nThe state is in {state}")
    return 0


@app.command("next", epilog="[bold]Example[/bold]\n\nsegue decide next predictions.npz --budget 10% --to ask-v2.csv")
def choose(
    state: StateFile,
    budget: Annotated[
        str, option(METHOD, "NUMBER|SHARE%", "How many samples the next model can answer: 5000, or 10%.")
    ],
    to: Annotated[
        str | None, option(SHOWN, "FILE", "Write the ids to a CSV or Parquet file, in place of standard output.")
    ] = None,
    seed: Annotated[int, option(METHOD, "NUMBER", "Decides among equally uncertain samples.", parser=whole)] = 0,
    json: JsonFile = None,
) -> None:
    """Say which samples the next model should answer: those whose label is least certain."""
    from segue.cli.console import check_outputs, out, write
    from segue.cli.outputs.machine import to_json
    from segue.congruent.decisions import PredictionStore

    _check_table(to)
    check_outputs({"--to": to, "--json": json}, [state])
    store = PredictionStore.load(state)
    ids = store.select(_budget(budget, len(store)), seed=seed)
    if to is not None:
        _write_table({"id": ids}, to)
    if json is not None:
        write(to_json({"state": state, "samples": len(store), "budget": len(ids), "ids": ids.tolist()}), json, "--json")
    if to is not None and json != "-":
        out().print(f"The {len(ids):,} most uncertain of {len(store):,} samples are in {to}")
    elif json is None:
        out().print("\n".join(_visible(str(one)) for one in ids.tolist()))


@app.command(
    "update",
    help="Take in a newer model's answers, and change the labels for which it pays. Labels of samples that it did not "
    "answer stay. The table is written first, then the state: if either fails, type the same command again.",
    epilog="[bold]Examples[/bold]\n\n"
    "segue decide update predictions.npz answers-v2.csv labelled-v2.csv --to labels.parquet\n\n"
    "segue decide update predictions.npz answers-v3.csv labelled-v3.csv --to labels.csv --earlier v1 --earlier v2\n\n"
    "segue decide update predictions.npz answers-v3.csv labelled-v3.csv --to labels.csv --cost-ratio 5 --name v3\n\n"
    "segue decide update predictions.npz answers-v4.csv labelled-v4.csv --to labels.csv --class-map classes.toml",
)
@sharing(Columns)
def update(
    columns: Columns,
    state: StateFile,
    new: Annotated[
        str,
        typer.Argument(metavar="NEW", help="The newer model's answers on all stored samples, or on some of them."),
    ],
    labelled: LabelledFile,
    to: Annotated[str, option(SHOWN, "FILE", "Where all labels go, changed or not: a CSV or Parquet file.")],
    rule: Annotated[
        str,
        option(METHOD, "|".join(RULES), "When a label changes: 'cr' when another class is --cost-ratio times as "
               "probable, 'mb' when it is more probable at all, 'mbme' if that also became more certain, 'majority' "
               "of all models, 'replace' always."),
    ] = "cr",
    cost_ratio: Annotated[
        float | None,
        option(METHOD, "NUMBER", "How many mended answers a broken one costs; 10 by default.", parser=number),
    ] = None,
    earlier: Annotated[
        list[str] | None,
        option(
            METHOD,
            "COLUMN",
            "An earlier model's answers in LABELLED, oldest first, once for each: fits how much of their evidence "
            "still counts, since models err alike. Recommended.",
        ),
    ] = None,
    memory: Annotated[
        float | None,
        option(
            METHOD,
            "SHARE",
            "How much of the earlier evidence still counts, from 0 to 1, in place of --earlier; 1 by default, as "
            "if models erred independently.",
            parser=number,
        ),
    ] = None,
    name: Annotated[
        str | None,
        option(SHOWN, "NAME", "What the newer model is called, each time another; the name of NEW by default."),
    ] = None,
    new_ids: Annotated[str, option(ODD, "refuse|add", "Samples of NEW that the state does not know.")] = "refuse",
    class_map: Annotated[
        str | None,
        option(COLUMNS, "FILE", "What each class is called now, where classes were added, split or renamed: a TOML or "
               "JSON table."),
    ] = None,
    json: JsonFile = None,
) -> int:  # fmt: skip
    """Take in a newer model's answers, and change the labels for which it pays.

    Labels of samples that it did not answer stay. The table is written first, then the state: when either fails, the
    same command can be typed again.

    Args:
        columns: How the columns are called.
        state: The state, which is replaced.
        new: The newer model's answers.
        labelled: Labelled samples with the same model's answers.
        to: Where all labels go.
        rule: When a label changes.
        cost_ratio: How many mended answers a broken one costs.
        earlier: Earlier models' answers in the labelled table.
        memory: How much of the earlier evidence still counts.
        name: What the model is called.
        new_ids: What to do with samples that the state does not know.
        class_map: What each class is called now.
        json: Where JSON goes.

    Returns:
        The exit code, 0.

    Raises:
        InputError: If anything is wrong with the tables, the state or the options.
    """
    import numpy as np

    from segue.cli.console import check_outputs, out, write
    from segue.cli.outputs.machine import to_json
    from segue.congruent.decisions import PredictionStore

    chosen = _rule(rule, cost_ratio)
    if new_ids not in {"refuse", "add"}:
        raise InputError(f"--new-ids is {new_ids!r}; pass refuse or add")
    _check_table(to)
    inputs = [path for path in (state, new, labelled, class_map) if path is not None]
    check_outputs({"--to": to, "--json": json}, inputs)
    store = PredictionStore.load(state)
    called = name or _stem(new)
    if any(event["name"] == called for event in store.history if event["event"] in {"created", "updated"}):
        raise InputError(
            f"{state} has the answers of a model called {called!r} already, and they must not count twice; if this is "
            f"another model, give it a name with --name"
        )
    answers = _read(new, "NEW", {"id": columns.id, "prediction": columns.prediction})
    source = _source(labelled, columns, earlier or ())
    _same_type(answers, "prediction", source, "label")
    seen = np.unique(np.concatenate([answers["prediction"], *source.values()]))
    _fit_classes(store, seen, state, class_map)
    confusion = _confusion(source, store.classes, columns)
    share = _memory(store, source, len(earlier or ()), memory, columns)
    fresh = _unknown(store, answers, state, new_ids)
    before = dict(zip(store.ids.tolist(), store.labels.tolist(), strict=True))
    old = ~fresh
    if not old.any():
        raise InputError(f"{answers.told} answers none of the samples in {state}; check that the ids are the same")
    found = store.update(
        answers["id"][old], answers["prediction"][old], confusion, rule=chosen, memory=share, name=called
    )
    if fresh.any():
        store.add(answers["id"][fresh], answers["prediction"][fresh], confusion, name=called)
    ids, labels = store.ids, store.labels
    former = np.array([before.get(one, label) for one, label in zip(ids.tolist(), labels.tolist(), strict=True)])
    table = {"id": ids, "prediction": labels, "previous": former, "changed": former != labels,
             "confidence": store.confidence}  # fmt: skip
    _write_table(table, to)
    store.save(state)
    if json is not None:
        write(to_json({**found.to_dict(), "memory": share, "added": int(fresh.sum())}), json, "--json")
    if json != "-":
        added = f"\n{int(fresh.sum()):,} new samples were added." if fresh.any() else ""
        counted = "" if share == 1 else f"\nEarlier evidence counted {share:g} of its weight."
        out().print(f"{_visible(str(found))}{counted}{added}\nThe labels are in {to}, the state in {state}")
    return 0


class _Table(dict[str, "NDArray[Any]"]):
    """Columns by their role; ``told`` is what messages call the table."""

    told: str
    names: Mapping[str, str]


def _read(path: str, argument: str, wanted: Mapping[str, str]) -> _Table:
    # Reads columns, in the order of the ids where there are any: two runs must see the samples in the same order.
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
        raise InputError(re.sub(r"^old\b", argument, str(error))) from error
    table = _Table()
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
                f"{told}: column {wanted['id']!r} repeats {counted(len(twice), 'value')} ({_some(twice)}); every "
                f"sample needs an id of its own"
            )
    return table


def _refuse_missing_columns(told: str, names: Any, wanted: Mapping[str, str]) -> None:
    import difflib

    for key, name in wanted.items():
        role = key.rstrip("0123456789")
        if name not in names:
            close = difflib.get_close_matches(name, names, n=1)
            hint = f"did you mean {close[0]!r}?" if close else f"there are {', '.join(map(repr, list(names)[:8]))}"
            raise InputError(f"{told}: there is no column {name!r} ({role}); {hint}")


def _source(path: str, columns: Columns, earlier: Sequence[str] = ()) -> _Table:
    answers = columns.labelled_prediction or columns.prediction
    wanted = {f"earlier{place}": name for place, name in enumerate(earlier)}
    source = _read(path, "LABELLED", {"label": columns.label, "prediction": answers, **wanted})
    for role in ("prediction", *wanted):
        _same_type(source, role, source, "label")
    return source


def _memory(store: PredictionStore, source: _Table, earlier: int, memory: float | None, columns: Columns) -> float:
    from segue.congruent.decisions import Memory

    if earlier and memory is not None:
        raise InputError("--earlier fits what --memory gives; leave out one of the two")
    if memory is not None and not 0 <= memory <= 1:
        raise InputError(f"--memory is {memory:g}; pass the weight of earlier evidence, from 0 to 1")
    if not earlier:
        return 1.0 if memory is None else memory
    if earlier != store.generation:
        raise InputError(
            f"--earlier names {earlier} of the {store.generation} models that have answered; name the column of each, "
            f"oldest first"
        )
    answers = [source[f"earlier{place}"] for place in range(earlier)]
    fitted = Memory.fit(
        source["label"],
        [*answers, source["prediction"]],
        classes=store.classes.tolist(),
        smoothing=columns.smoothing,
    )
    return fitted.weight


def _same_type(one: _Table, role: str, other: _Table, other_role: str) -> None:
    held = ["strings" if table[key].dtype.kind == "U" else "integers" for table, key in
            ((one, role), (other, other_role))]  # fmt: skip
    if held[0] != held[1]:
        raise InputError(
            f"{one.told}: column {one.names[role]!r} holds {held[0]} but {other.told}: column "
            f"{other.names[other_role]!r} holds {held[1]}; write classes in the same way"
        )


def _confusion(source: _Table, classes: NDArray[Any], columns: Columns) -> AnswerLikelihood:
    from segue.congruent.decisions import Confusion, DiagonalConfusion

    kinds: dict[str, Any] = {"full": Confusion, "diagonal": DiagonalConfusion}
    if columns.confusion not in kinds:
        raise InputError(f"--confusion is {columns.confusion!r}; pass full or diagonal")
    if columns.smoothing <= 0:
        raise InputError(f"--smoothing is {columns.smoothing:g}; pass a number above 0, such as 1")
    fitted: AnswerLikelihood = kinds[columns.confusion].fit(
        source["label"], source["prediction"], classes=classes, smoothing=columns.smoothing
    )
    return fitted


def _rule(rule: str, cost_ratio: float | None) -> UpdateRule:
    from segue.congruent.decisions import CostRatio, Majority, MaxBelief, MaxBeliefMinEntropy, Replace

    if rule not in RULES:
        raise InputError(f"--rule is {rule!r}; pass one of {', '.join(RULES)}")
    if rule == "cr":
        if cost_ratio is not None and cost_ratio < 1:
            raise InputError(
                f"--cost-ratio is {cost_ratio:g}; pass how many mended answers a broken one costs, 1 or more"
            )
        return CostRatio(10.0 if cost_ratio is None else cost_ratio)
    if cost_ratio is not None:
        raise InputError(f"--cost-ratio goes with --rule cr, not with --rule {rule}; leave out one of the two")
    others: dict[str, UpdateRule] = {
        "mb": MaxBelief(), "mbme": MaxBeliefMinEntropy(), "majority": Majority(), "replace": Replace(),
    }  # fmt: skip
    return others[rule]


def _fit_classes(store: PredictionStore, seen: NDArray[Any], state: str, class_map: str | None) -> None:
    import numpy as np

    if class_map is None:
        if (seen.dtype.kind == "U") != (store.classes.dtype.kind == "U"):
            raise InputError(f"the classes of NEW and those of {state} differ in type; write classes in the same way")
        strangers = np.setdiff1d(seen, store.classes)
        if len(strangers):
            raise InputError(
                f"NEW or LABELLED holds {_some(strangers)}, which {'is' if len(strangers) == 1 else 'are'} none of the "
                f"classes in {state} ({_some(store.classes)}); say what each class is called now with --class-map FILE"
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


def _unknown(store: PredictionStore, answers: _Table, state: str, new_ids: str) -> NDArray[Any]:
    import numpy as np

    ids = answers["id"]
    if (ids.dtype.kind == "U") != (store.ids.dtype.kind == "U"):
        raise InputError(
            f"{answers.told}: the ids are {'strings' if ids.dtype.kind == 'U' else 'integers'} but those of {state} "
            f"are not; write them in the same way"
        )
    fresh = ~np.isin(ids, store.ids)
    if fresh.any() and new_ids == "refuse":
        raise InputError(
            f"{answers.told}: {int(fresh.sum()):,} of {len(ids):,} ids ({_some(ids[fresh])}) "
            f"{'is' if fresh.sum() == 1 else 'are'} not in {state}; leave them out, or add them with --new-ids add"
        )
    return fresh


def _budget(text: str, samples: int) -> int:
    told = text.strip()
    try:
        wanted = number(told[:-1]) / 100 * samples if told.endswith("%") else whole(told)
    except typer.BadParameter:
        wanted = 0
    if wanted <= 0 or (told.endswith("%") and wanted > samples):
        raise InputError(f"--budget is {text!r}; pass a number of samples such as 5000, or a share such as 10%")
    return max(1, round(wanted))


def _check_table(path: str | None) -> None:
    if path is not None and not path.lower().endswith((".csv", ".parquet")):
        raise InputError(f"--to is {path!r}; name a file that ends in .csv or .parquet")


def _write_table(columns: Mapping[str, NDArray[Any]], path: str) -> None:
    import pyarrow as pa
    from pyarrow import csv
    from pyarrow import parquet as pq

    from segue.congruent.decisions.replacing import replacing

    table = pa.table({name: pa.array(values.tolist()) for name, values in columns.items()})
    with replacing(path, "--to") as file:
        (csv.write_csv if path.lower().endswith(".csv") else pq.write_table)(table, file)


def _stem(path: str) -> str:
    from pathlib import Path

    return Path(path.partition("#")[2] or path).stem


def _visible(text: str) -> str:
    from segue.cli.outputs.visible import visible

    return visible(text, most=2000)


def _some(values: NDArray[Any]) -> str:
    shown = ", ".join(repr(one) for one in values[:SHOWN_NAMES].tolist())
    return shown + (", ..." if len(values) > SHOWN_NAMES else "")
