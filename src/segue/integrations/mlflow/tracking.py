"""A report as metrics, tags and artifacts of an MLflow run."""

from __future__ import annotations

import math
import tempfile
import time
from pathlib import Path

from segue import __version__
from segue.errors import InputError, require

try:
    import mlflow
    from mlflow.entities import Metric, RunTag
    from mlflow.tracking import MlflowClient
except ImportError:
    require("mlflow", "mlflow", "segue.integrations.mlflow")
    raise

from segue.flips.gate.decision import Decision
from segue.flips.graded import GradedReport
from segue.flips.result import FlipReport
from segue.report import write_report


def log_report(
    report: FlipReport | GradedReport,
    *,
    decision: Decision | None = None,
    run_id: str | None = None,
    prefix: str = "flips",
    artifact: str = "segue",
) -> str:
    """Log a report to a run: every rate, the counts, tags, and the report itself as JSON and as HTML.

    Metrics are named ``flips/negative_flip_rate``, ``flips/negative_flip_rate_low``, ``..._high``, ``flips/samples``,
    ``flips/negative_flips``, ``flips/positive_flips`` and ``flips/p_value``; numbers that are undefined or infinite are
    no metrics, and stand in the JSON as null. Tags are ``segue.version``, ``segue.old``, ``segue.new`` and
    ``segue.verdict``. Artifacts are ``segue/report.json``, ``segue/report.html`` and ``segue/decision.json``.

    Args:
        report: What ``compare`` or ``compare_scores`` returned.
        decision: What the gate decided, if it was asked.
        run_id: The run; the active one by default.
        prefix: Put before the names of metrics.
        artifact: Folder of the artifacts.

    Returns:
        The run's id.

    Raises:
        InputError: If there is no run, or ``report`` is no report.
    """
    if not isinstance(report, (FlipReport, GradedReport)):
        raise InputError(f"report is a {type(report).__name__}; pass what compare() or compare_scores() returned")
    if run_id is None:
        active = mlflow.active_run()
        if active is None:
            raise InputError("no MLflow run is active; log inside 'with mlflow.start_run():', or pass run_id=")
        run_id = str(active.info.run_id)
    now = int(time.time() * 1000)
    client = MlflowClient()
    client.log_batch(
        run_id,
        metrics=[Metric(f"{prefix}/{name}", value, now, 0) for name, value in _numbers(report).items()],
        tags=[RunTag(f"segue.{name}", value) for name, value in _tags(report, decision).items()],
    )
    client.log_dict(run_id, report.to_dict(), f"{artifact}/report.json")
    if decision is not None:
        client.log_dict(run_id, decision.to_dict(), f"{artifact}/decision.json")
    with tempfile.TemporaryDirectory() as folder:
        page = write_report(report, Path(folder) / "report.html", decision=decision)
        client.log_artifact(run_id, str(page), artifact)
    return run_id


def _numbers(report: FlipReport | GradedReport) -> dict[str, float]:
    found: dict[str, float] = {
        "samples": report.samples,
        "negative_flips": report.negative_flips,
        "positive_flips": report.positive_flips,
        "p_value": report.test.p_value,
    }
    for name, rate in report.rates.items():
        found |= {name: rate.value, f"{name}_low": rate.low, f"{name}_high": rate.high}
    return {name: float(value) for name, value in found.items() if math.isfinite(value)}


def _tags(report: FlipReport | GradedReport, decision: Decision | None) -> dict[str, str]:
    tags = {"version": __version__, "old": report.names[0], "new": report.names[1]}
    return tags if decision is None else {**tags, "verdict": str(decision.verdict)}
