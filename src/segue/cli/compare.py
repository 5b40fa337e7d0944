"""``segue compare``: which answers does the new model break, and where?"""

from __future__ import annotations

import typer

from segue.cli.options import sharing
from segue.cli.tables import Tables

HELP = "Measure sample by sample which answers the new model breaks and mends, and where."
EXAMPLES = """[bold]Examples[/bold]

segue compare old.parquet new.parquet --id id --label label

segue compare old.csv new.csv --id id --slice country --slice device --report report.html

segue compare answers.parquet --old-prediction v1 --new-prediction v2 --json result.json

segue compare old.jsonl new.jsonl --id id --score rating --tolerance 0.1"""


@sharing(Tables)
def compare(tables: Tables, context: typer.Context) -> int:
    """Compare the tables and write what was asked for.

    Args:
        tables: What is compared.
        context: What was typed, for the report.

    Returns:
        The exit code, 0.
    """
    from segue.cli.console import check_outputs
    from segue.cli.measuring import measured, refuse_contradictions
    from segue.cli.progress import shown_progress
    from segue.cli.telling import Outputs, tell_report

    refuse_contradictions(tables)
    check_outputs(tables.outputs, tables.inputs)
    with shown_progress(tables.progress) as progress:
        report = measured(tables, 0.95 if tables.confidence is None else tables.confidence, progress=progress)
    tell_report(report, Outputs(context.obj, tables.report, tables.json, image_folder=tables.image_folder))
    return 0
