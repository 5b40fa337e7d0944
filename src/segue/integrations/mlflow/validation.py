"""A challenger in MLflow's registry against the champion: predict, compare, decide, record, and promote if asked to."""

from __future__ import annotations

from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from segue.errors import InputError, require

try:
    import mlflow
    from mlflow.entities.model_registry import ModelVersion
    from mlflow.exceptions import MlflowException
    from mlflow.tracking import MlflowClient
except ImportError:
    require("mlflow", "mlflow", "segue.integrations.mlflow")
    raise

from segue.flips.arrays import compare
from segue.flips.estimators import one_line
from segue.flips.gate import decide
from segue.flips.gate.decision import Decision
from segue.flips.gate.policy import Policy
from segue.flips.result import FlipReport
from segue.integrations.mlflow.tracking import log_report

ABSENT = ("RESOURCE_DOES_NOT_EXIST", "INVALID_PARAMETER_VALUE")


@dataclass(frozen=True, eq=False)
class ChallengerValidation:
    """What a challenger's validation found and did.

    Attributes:
        name: Name of the registered model.
        champion: The version that the challenger was held against.
        challenger: The challenger's version.
        report: What was measured.
        decision: What the gate decided.
        promoted: Whether the champion alias was moved to the challenger.
        outcome: What was done with the alias and why, in one sentence.
        run_id: The MLflow run that holds the report.
    """

    name: str
    champion: str
    challenger: str
    report: FlipReport
    decision: Decision
    promoted: bool
    outcome: str
    run_id: str

    def __str__(self) -> str:
        """Return the decision and what was done, in words."""
        return f"{self.decision}\n{self.outcome}"

    def to_dict(self) -> dict[str, Any]:
        """Return everything by name, ready for JSON."""
        return {
            "name": self.name,
            "champion": self.champion,
            "challenger": self.challenger,
            "report": self.report.to_dict(),
            "decision": self.decision.to_dict(),
            "promoted": self.promoted,
            "outcome": self.outcome,
            "run_id": self.run_id,
        }


def validate_challenger(
    name: str,
    challenger: str | int,
    data: Any,
    labels: Any,
    *,
    policy: Policy | str | Path,
    champion_alias: str = "champion",
    promote: bool = False,
    answers: Callable[[Any], Any] | None = None,
    **measured: Any,
) -> ChallengerValidation:
    """Hold a challenger against the champion on labelled data, and promote it only if asked to and if it passes.

    Both models are loaded from the registry as ``pyfunc`` and predict ``data``. The report and the decision go to the
    active MLflow run, or to a new one; the challenger's version gets the tags ``segue.verdict``, ``segue.champion``,
    ``segue.negative_flip_rate``, ``segue.samples`` and ``segue.run_id``. With ``promote``, a challenger that passes
    gets the champion alias, last of all, and only if the alias still names the version that was compared. A failed or
    undecided challenger never gets it.

    Args:
        name: Name of the registered model.
        challenger: The challenger's version (``3`` or ``"3"``) or alias (``"challenger"``).
        data: What both models predict from.
        labels: The truth, ``(n,)``.
        policy: What the update may break: a policy or the path of one.
        champion_alias: Alias of the model in production.
        promote: Whether to move the alias on a pass.
        answers: From what a model's ``predict`` returned to answers ``(n,)`` or probabilities ``(n, classes)``. Arrays,
            series and data frames with one column, or with one numeric column per class, are understood unasked.
        measured: Further arguments of ``segue.flips.compare``: ``slices``, ``groups``, ``ids``...

    Returns:
        What was found and done.

    Raises:
        InputError: If the registry can't be reached, a version or alias is missing, both are the same version, a
            model can't predict, or predictions and labels do not fit together. Nothing is recorded then.
    """
    if isinstance(policy, (str, Path)):
        policy = Policy.read(policy)
    if not isinstance(policy, Policy):
        raise InputError(f"policy is a {type(policy).__name__}; pass a Policy, such as Policy(max_nfr=0.01), or a path")
    client = MlflowClient()
    old = _aliased(client, name, champion_alias, "there is no champion to compare with")
    new = _version(client, name, challenger)
    if old.version == new.version:
        raise InputError(
            f"version {new.version} of {name!r} is the {champion_alias!r} already; pass another challenger"
        )
    outputs = {"old": _predict(old, data, answers), "new": _predict(new, data, answers)}
    for side, output in outputs.items():
        if (columns := _classes(output)) is not None:
            measured.setdefault(f"{side}_classes", columns)
    if policy.confidence is not None:
        measured.setdefault("confidence", policy.confidence)
    report = compare(
        labels, outputs["old"], outputs["new"], names=(f"{name} v{old.version}", f"{name} v{new.version}"), **measured
    )
    decision = decide(report, policy, ids=measured.get("ids"))
    with _registry(f"record the validation of {name!r}"):
        run_id = _record(client, old, new, report, decision)
        promoted, outcome = _promote(client, champion_alias, old, new, decision, promote)
    return ChallengerValidation(name, str(old.version), str(new.version), report, decision, promoted, outcome, run_id)


def _record(client: MlflowClient, old: ModelVersion, new: ModelVersion, report: FlipReport, decision: Decision) -> str:
    active = mlflow.active_run()
    if active is None:
        with mlflow.start_run(run_name=f"{new.name} v{new.version} against v{old.version}") as run:
            run_id = log_report(report, decision=decision, run_id=run.info.run_id)
    else:
        run_id = log_report(report, decision=decision)
    tags = {
        "verdict": str(decision.verdict),
        "champion": str(old.version),
        "negative_flip_rate": str(report.negative_flip_rate),
        "samples": str(report.samples),
        "run_id": run_id,
    }
    for key, value in tags.items():
        client.set_model_version_tag(new.name, str(new.version), f"segue.{key}", value)
    return run_id


def _promote(
    client: MlflowClient, alias: str, old: ModelVersion, new: ModelVersion, decision: Decision, promote: bool
) -> tuple[bool, str]:
    stays = f"Version {old.version} of {old.name!r} stays the {alias!r}"
    if not decision.passed:
        return False, f"{stays}: the verdict on version {new.version} is {decision.verdict}."
    if not promote:
        return False, f"{stays}: version {new.version} passed; pass promote=True to move the alias."
    # MLflow has no compare-and-swap: the alias is read again right before it is moved.
    now = client.get_model_version_by_alias(old.name, alias)
    if now.version != old.version:
        return False, (
            f"The alias {alias!r} of {old.name!r} was moved from version {old.version} to {now.version} while version "
            f"{new.version} was compared with {old.version}: nothing was moved; validate against the new champion."
        )
    client.set_registered_model_alias(new.name, alias, str(new.version))
    return (
        True,
        f"Version {new.version} of {new.name!r} passed: the alias {alias!r} was moved to it from {old.version}.",
    )


def _version(client: MlflowClient, name: str, wanted: str | int) -> ModelVersion:
    if not str(wanted).isdecimal():
        return _aliased(client, name, str(wanted), "pass the challenger's version or another alias")
    with _registry(f"look up version {wanted} of {name!r}"):
        try:
            return client.get_model_version(name, str(wanted))
        except MlflowException as error:
            if error.error_code not in ABSENT:
                raise
            raise InputError(_absent(client, name, f"version {wanted}", "pass a version that is there")) from error


def _aliased(client: MlflowClient, name: str, alias: str, advice: str) -> ModelVersion:
    with _registry(f"look up the alias {alias!r} of {name!r}"):
        try:
            return client.get_model_version_by_alias(name, alias)
        except MlflowException as error:
            if error.error_code not in ABSENT:
                raise
            set_it = f"set it with MlflowClient().set_registered_model_alias({name!r}, {alias!r}, version)"
            raise InputError(_absent(client, name, f"alias {alias!r}", f"{advice}; {set_it}")) from error


def _absent(client: MlflowClient, name: str, what: str, advice: str) -> str:
    quoted = name.replace("'", "''")
    versions = sorted(int(one.version) for one in client.search_model_versions(f"name='{quoted}'"))
    if not versions:
        return f"the registry at {mlflow.get_registry_uri()} has no versions of a model {name!r}; register one first"
    told = ", ".join(map(str, versions[-5:]))
    return f"the registered model {name!r} has no {what} (it has versions {told}); {advice}"


@contextmanager
def _registry(doing: str) -> Generator[None]:
    try:
        yield
    except InputError:
        raise
    except Exception as error:  # whatever the store's driver raises: HTTP, SQL, file system
        raise InputError(
            f"can't {doing} in the registry at {mlflow.get_registry_uri()}: {one_line(error)}; check "
            f"mlflow.set_tracking_uri and mlflow.set_registry_uri"
        ) from error


def _predict(version: ModelVersion, data: Any, answers: Callable[[Any], Any] | None) -> Any:
    model = f"version {version.version} of {version.name!r}"
    with _registry(f"load {model}"):
        loaded = mlflow.pyfunc.load_model(f"models:/{version.name}/{version.version}")
    try:
        output = loaded.predict(data)
    except Exception as error:  # the model is the caller's: whatever it raises is told in its own words
        raise InputError(f"{model} can't predict from data: {one_line(error)}") from error
    if answers is not None:
        return answers(output)
    if isinstance(output, dict) or (hasattr(output, "columns") and _mixed(output)):
        names = ", ".join(map(str, output if isinstance(output, dict) else output.columns))
        raise InputError(
            f"{model} predicts {names} for each sample; pass answers=, a function that returns the answers (n,) from "
            f"them"
        )
    return output


def _mixed(frame: Any) -> bool:
    return len(frame.columns) > 1 and not all(dtype.kind in "fiub" for dtype in frame.dtypes)


def _classes(output: Any) -> list[Any] | None:
    """Return the classes that a data frame's columns are named after, if it is one."""
    return list(output.columns) if hasattr(output, "columns") and len(output.columns) > 1 else None
