"""``segue gate``: may the new model take the old one's place?"""

from __future__ import annotations

import dataclasses
from typing import Annotated

import typer

from segue.cli.options import sharing
from segue.cli.rules import Rules, combined
from segue.cli.tables import SHOWN, Tables, option
from segue.errors import InputError

HELP = "Decide whether the new model may take the old one's place; the exit code is the verdict."
EXAMPLES = """[bold]Examples[/bold]

segue gate old.parquet new.parquet --id id --max-nfr 0.01

segue gate old.csv new.csv --id id --policy policy.toml --junit gate.xml --markdown comment.md

segue gate old.csv new.csv --id id --slice country --max-nfr 0.01 --max-slice-nfr 0.05 --golden golden.txt

[bold]Exit codes[/bold]

0 pass, 1 fail, 2 usage or bad input, 3 undecided: not enough data to decide"""


@sharing(Tables, Rules)
def gate(
    tables: Tables,
    rules: Rules,
    context: typer.Context,
    junit: Annotated[str | None, option(SHOWN, "FILE", "Write JUnit XML for a CI server.")] = None,
    markdown: Annotated[str | None, option(SHOWN, "FILE", "Write a Markdown comment for a pull request.")] = None,
) -> int:
    """Compare the tables, hold the report against the policy, and write what was asked for.

    Args:
        tables: What is compared.
        rules: What may break.
        context: What was typed, for the report.
        junit: Where JUnit XML goes.
        markdown: Where the comment goes.

    Returns:
        The exit code: 0 pass, 1 fail, 3 undecided.

    Raises:
        InputError: If anything is wrong with the options, the policy or the data.
    """
    from segue.cli.console import check_outputs
    from segue.cli.measuring import measured, outcomes, refuse_contradictions
    from segue.cli.progress import shown_progress
    from segue.cli.telling import Outputs, tell_decision
    from segue.flips.gate import decide, refuse_unfit

    policy, notes = combined(rules, tables.confidence)
    protected = policy.protected_ids()
    refuse_contradictions(tables)
    refuse_unfit(policy, graded=tables.graded)
    if protected and tables.id is None:
        raise InputError("protected samples are looked up by their ids; name the column with --id")
    if policy.every_slice is not None and not (tables.slice or policy.slice_columns):
        raise InputError("the policy limits every slice, but there is none; name slice columns with --slice")
    check_outputs({**tables.outputs, "--junit": junit, "--markdown": markdown}, [*tables.inputs, *rules.inputs])
    with shown_progress(tables.progress) as progress:
        report = measured(tables, policy.confidence or 0.95, policy.slice_columns, progress)
        found = outcomes(tables, protected, progress) if protected else None
    decision = decide(report, policy, outcomes=found)
    decision = dataclasses.replace(decision, notes=(*notes, *decision.notes))
    shown = Outputs(context.obj, tables.report, tables.json, junit, markdown, tables.image_folder)
    tell_decision(decision, report, shown)
    return decision.exit_code
