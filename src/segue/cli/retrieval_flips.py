"""``segue retrieval-flips``: which queries did the old system answer and the new one does not, and may it ship?"""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Annotated, Any

import typer

from segue.cli.numbers import number, whole
from segue.cli.options import sharing
from segue.cli.rules import Rules, combined
from segue.cli.search_options import COLUMNS, FILES, RELEVANT, SEARCH, Searched
from segue.cli.tables import SHOWN, option
from segue.errors import InputError, require

if TYPE_CHECKING:
    from segue.cli.searching import Material
    from segue.flips.graded import GradedReport
    from segue.flips.result import FlipReport

HELP = f"""Measure query by query what an update of a search loses and finds, and where; with limits, decide whether \
it may ship.

A query is answered when something relevant is among its K nearest items. {FILES}"""
EXAMPLES = """[bold]Examples[/bold]

segue retrieval-flips old.npz new.npz --k 10 --report report.html

segue retrieval-flips old.parquet new.parquet --queries-old q-old.parquet --queries-new q-new.parquet --slice country

segue retrieval-flips old.npz new.npz --keep-gallery --max-nfr 0.01

segue retrieval-flips old.npz new.npz --measure ndcg@10 --tolerance 0.1 --qrels test.qrels --policy policy.toml

[bold]Exit codes[/bold]

0 measured, or with limits: pass, 1 fail, 2 usage or bad input, 3 undecided: not enough queries to decide"""
DEFAULT_K = 10
UNDEFINED = {"refuse": "refuse", "drop": "leave out"}


@sharing(Searched, Rules)
def retrieval_flips(
    searched: Searched,
    rules: Rules,
    context: typer.Context,
    keep_gallery: Annotated[
        bool,
        typer.Option("--keep-gallery", help="New queries search OLD: an update without re-embedding the gallery.",
                     rich_help_panel=SEARCH),
    ] = False,
    k: Annotated[
        int | None, option(SEARCH, "NUMBER", "How many of the nearest items count; 10 by default.", "--k", parser=whole)
    ] = None,
    measure: Annotated[
        str | None,
        option(SEARCH, "NAME", "In place of --k: by how much this falls or rises for each query, such as ndcg@10."),
    ] = None,
    tolerance: Annotated[
        float | None, option(SEARCH, "NUMBER", "A drop of --measure up to this is no flip; 0 by default.",
                             parser=number)
    ] = None,
    without_relevant: Annotated[
        str, option(RELEVANT, "refuse|drop", "Queries that nothing is relevant to.")
    ] = "refuse",
    slice: Annotated[  # ruff: ignore[builtin-argument-shadowing] - the option's name
        list[str] | None, option(COLUMNS, "NAME", "Break the rates down by this column of queries; may be repeated.")
    ] = None,
    discover: Annotated[
        bool,
        typer.Option("--discover", help="Also look for conjunctions of conditions on the slice columns in which flips "
                     "concentrate.", rich_help_panel=COLUMNS),
    ] = False,
    report: Annotated[str | None, option(SHOWN, "FILE", "Write a report as one HTML file.")] = None,
    flips_to: Annotated[
        str | None, option(SHOWN, "FILE", "Write all flipped queries to a Parquet or CSV file.")
    ] = None,
    junit: Annotated[str | None, option(SHOWN, "FILE", "Write JUnit XML for a CI server.")] = None,
    markdown: Annotated[str | None, option(SHOWN, "FILE", "Write a Markdown comment for a pull request.")] = None,
) -> int:  # fmt: skip
    """Read the embeddings, search, compare, decide where limits are given, and write what was asked for.

    Args:
        searched: What is searched.
        rules: What may break.
        context: What was typed, for the report.
        keep_gallery: Whether new queries search the old gallery.
        k: How many of the nearest count.
        measure: What is compared in place of answers.
        tolerance: A drop that is no flip.
        without_relevant: What becomes of queries that nothing is relevant to.
        slice: Slice columns.
        discover: Whether to look for conjunctions of conditions.
        report: Where the page goes.
        flips_to: Where flipped queries go.
        junit: Where JUnit XML goes.
        markdown: Where the comment goes.

    Returns:
        The exit code: 0 measured or pass, 1 fail, 3 undecided.

    Raises:
        InputError: If anything is wrong with the options, the policy or the data.
    """
    from segue.cli.console import check_outputs
    from segue.cli.outputs.flipped import check_ending, write_flips
    from segue.cli.progress import shown_progress
    from segue.cli.searching import in_their_words, model_names, read_material, refuse_contradictions
    from segue.cli.telling import Outputs, tell_decision, tell_report
    from segue.flips.gate import decide, refuse_unfit

    require("faiss", "retrieval", "segue retrieval-flips")
    kept = keep_gallery or searched.queries_to_old is not None or searched.gallery_to_new is not None
    refuse_contradictions(searched, new_gallery=not kept)
    _refuse_unclear(measure, k, tolerance, without_relevant)
    outputs = Outputs(context.obj, report, searched.json, junit, markdown)
    policy, told = (None, []) if rules == Rules() else combined(rules, searched.confidence)
    columns = tuple(dict.fromkeys([*(slice or ()), *(() if policy is None else policy.slice_columns)]))
    confidence = searched.confidence if policy is None else policy.confidence
    if policy is None:
        _refuse_without_policy(junit, markdown)
    else:
        refuse_unfit(policy, graded=measure is not None)
        if policy.every_slice is not None and not columns:
            raise InputError("the policy limits every slice, but there is none; name slice columns with --slice")
    if discover and not columns:
        raise InputError("--discover looks for conditions on slice columns; name some with --slice")
    if flips_to is not None:
        check_ending(flips_to)
    to = {"--report": report, "--json": searched.json, "--flips-to": flips_to, "--junit": junit,
          "--markdown": markdown}  # fmt: skip
    check_outputs(to, [*searched.inputs, *rules.inputs])
    unread = kept and not searched.itself
    with shown_progress(searched.progress) as progress:
        material = read_material(dataclasses.replace(searched, new=None) if unread else searched, columns)
        if progress is not None:
            progress("searching", 0.1)
        given = {
            "ids": material.queries.ids,
            "slices": material.queries.slices or None,
            "groups": material.queries.groups,
            "without_relevant": UNDEFINED[without_relevant],
            "confidence": 0.95 if confidence is None else confidence,
            "discover_slices": discover,
            "names": model_names(searched),
            "index": searched.index,
            "metric": searched.metric,
        }
        with in_their_words(material.told):
            found = _compared(material, kept, k or DEFAULT_K if measure is None else measure, tolerance or 0.0, given)
    if flips_to is not None:
        write_flips(found.flips, flips_to)
    if policy is None:
        tell_report(found, outputs)
        return 0
    decision = decide(found, policy, ids=_compared_ids(material))
    tell_decision(dataclasses.replace(decision, notes=(*told, *decision.notes)), found, outputs)
    return decision.exit_code


def _compared(
    material: Material, kept: bool, by: int | str, tolerance: float, given: dict[str, Any]
) -> FlipReport | GradedReport:
    from segue.retrieval import retrieval_flips as flips_of
    from segue.retrieval import retrieval_score_flips as score_flips_of
    from segue.retrieval.measures import named_measure

    asks = "queries_to_old" if "queries_to_old" in material.vectors else "queries_new"
    held = "gallery_to_new" if "gallery_to_new" in material.vectors else "gallery_old" if kept else "gallery_new"
    systems: dict[str, Any] = {
        "queries_old": material.vectors["queries_old"],
        "queries_new": material.vectors[asks],
        "gallery_old": material.vectors["gallery_old"],
        "gallery_new": material.vectors[held],
        "relevance": material.relevance,
    }
    found: FlipReport | GradedReport
    if isinstance(by, str):
        named = named_measure(by)
        material.refuse_too_deep(named.k, f"--measure {named.name}")
        found = score_flips_of(**systems, measure=named.name, tolerance=tolerance, **given)
    else:
        material.refuse_too_deep(by, f"--k {by}")
        found = flips_of(**systems, k=by, **given)
    notes = [*material.notes, *(["new queries search the old gallery"] if kept else [])]
    return dataclasses.replace(found, flips=_with_item_ids(found, material), notes=(*notes, *found.notes))


def _with_item_ids(found: FlipReport | GradedReport, material: Material) -> Any:
    # What was nearest, by its id where there is one, not by its row; nothing where an index found nothing.
    import numpy as np

    ids = material.gallery.ids
    if ids is None:
        return found.flips

    def named(row: Any) -> Any:
        return np.where(row < 0, "", ids[row].astype(np.str_)) if (row < 0).any() else ids[row]

    rows = {name: found.flips.columns[name] for name in ("old_nearest", "new_nearest") if name in found.flips.columns}
    columns = {**found.flips.columns, **{name: named(row) for name, row in rows.items()}}
    return dataclasses.replace(found.flips, columns=columns)


def _compared_ids(material: Material) -> Any:
    import numpy as np

    rows = np.flatnonzero(material.relevance.totals > 0)
    return rows if material.queries.ids is None else material.queries.ids[rows]


def _refuse_unclear(measure: str | None, k: int | None, tolerance: float | None, without_relevant: str) -> None:
    if measure is not None and k is not None:
        raise InputError("--k and --measure are two ways to compare; leave out one of them")
    if k is not None and k < 1:
        raise InputError(f"--k is {k}; pass a whole number of at least 1")
    if tolerance is not None and measure is None:
        raise InputError("--tolerance is for --measure; leave it out, or name a measure such as ndcg@10")
    if without_relevant not in UNDEFINED:
        raise InputError(f"--without-relevant is {without_relevant!r}; pass refuse or drop")


def _refuse_without_policy(junit: str | None, markdown: str | None) -> None:
    for name, path in (("--junit", junit), ("--markdown", markdown)):
        if path is not None:
            raise InputError(f"{name} shows a decision, which needs a limit; pass --max-nfr 0.01, for instance, or "
                             f"--policy FILE")  # fmt: skip
