"""``segue decide update``: take in a newer model's answers, and change the labels for which it pays."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from segue.cli.decide.arguments import METHOD, Columns, JsonFile, LabelledFile, StateFile, model_name
from segue.cli.decide.classes import fit_classes
from segue.cli.decide.confusion import confusion_of
from segue.cli.decide.reading import Table, first_names, read_labelled, read_table, refuse_other_type
from segue.cli.decide.rules import RULES, rule_of
from segue.cli.decide.writing import check_table, shown, write_table
from segue.cli.numbers import number
from segue.cli.options import sharing
from segue.cli.tables import COLUMNS, ODD, SHOWN, option
from segue.errors import InputError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from segue.congruent.decisions import PredictionStore

WAIT = 30.0  # seconds for another command that changes the same state

HELP = (
    "Take in a newer model's answers, and change the labels for which it pays. Labels of samples that it did not "
    "answer stay. The table is written first, then the state: if either fails, type the same command again."
)
EXAMPLES = (
    "[bold]Examples[/bold]\n\n"
    "segue decide update predictions.npz answers-v2.csv labelled-v2.csv --to labels.parquet\n\n"
    "segue decide update predictions.npz answers-v3.csv labelled-v3.csv --to labels.csv --earlier v1 --earlier v2\n\n"
    "segue decide update predictions.npz answers-v3.csv labelled-v3.csv --to labels.csv --cost-ratio 5 --name v3\n\n"
    "segue decide update predictions.npz answers-v4.csv labelled-v4.csv --to labels.csv --class-map classes.toml"
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

    chosen = rule_of(rule, cost_ratio)
    if new_ids not in {"refuse", "add"}:
        raise InputError(f"--new-ids is {new_ids!r}; pass refuse or add")
    check_table(to)
    inputs = [path for path in (state, new, labelled, class_map) if path is not None]
    check_outputs({"--to": to, "--json": json}, inputs)
    answers = read_table(new, "NEW", {"id": columns.id, "prediction": columns.prediction})
    source = read_labelled(labelled, columns, earlier or ())
    refuse_other_type(answers, "prediction", source, "label")
    seen = np.unique(np.concatenate([answers["prediction"], *source.values()]))
    with PredictionStore.updating(state, wait=WAIT) as store:  # saved at its end, after the table
        called = name or model_name(new)
        if any(event["name"] == called for event in store.history if event["event"] in {"created", "updated"}):
            raise InputError(
                f"{state} has the answers of a model called {called!r} already, and they must not count twice; if this "
                f"is another model, give it a name with --name"
            )
        fit_classes(store, seen, state, class_map)
        confusion = confusion_of(source, store.classes, columns)
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
        write_table(table, to)
    if json is not None:
        write(to_json({**found.to_dict(), "memory": share, "added": int(fresh.sum())}), json, "--json")
    if json != "-":
        new = "1 new sample was" if fresh.sum() == 1 else f"{int(fresh.sum()):,} new samples were"
        added = f"\n{new} added." if fresh.any() else ""
        counted = "" if share == 1 else f"\nEarlier evidence counted {share:g} of its weight."
        out().print(f"{shown(str(found))}{counted}{added}\nThe labels are in {to}, the state in {state}")
    return 0


def _memory(store: PredictionStore, source: Table, earlier: int, memory: float | None, columns: Columns) -> float:
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


def _unknown(store: PredictionStore, answers: Table, state: str, new_ids: str) -> NDArray[Any]:
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
            f"{answers.told}: {int(fresh.sum()):,} of {len(ids):,} ids ({first_names(ids[fresh])}) "
            f"{'is' if fresh.sum() == 1 else 'are'} not in {state}; leave them out, or add them with --new-ids add"
        )
    return fresh
