from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import mlflow
import numpy as np
import pandas as pd
import pytest
from mlflow.exceptions import MlflowException
from mlflow.models import MetricThreshold
from mlflow.tracking import MlflowClient
from sklearn.datasets import load_iris
from sklearn.linear_model import LogisticRegression

from segue.errors import InputError
from segue.flips import FlipReport, Policy, compare, compare_scores, decide
from segue.integrations.mlflow import flip_metric, log_report, validate_challenger
from tests.integrations.pages import run_section

FLOWERS, KINDS = load_iris(return_X_y=True)
NAMES = load_iris().target_names[KINDS]
TRAIN, TEST = np.arange(150) % 3 == 0, np.arange(150) % 3 != 0
LENIENT, STRICT = Policy(max_nfr=0.5), Policy(max_nfr=0.03)


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A real MLflow on sqlite, made once: its migrations take seconds."""
    folder = tmp_path_factory.mktemp("mlflow")
    logging.getLogger("alembic").setLevel(logging.WARNING)
    before = mlflow.get_tracking_uri()
    mlflow.set_tracking_uri(f"sqlite:///{folder}/mlflow.db")
    mlflow.set_experiment(experiment_id=mlflow.create_experiment("flips", artifact_location=(folder / "kept").as_uri()))
    yield folder
    mlflow.set_tracking_uri(before)


@pytest.fixture
def client(store: Path) -> MlflowClient:
    return MlflowClient()


def register(name: str, *models: Any, **options: Any) -> None:
    """Register models as versions 1, 2, ... of a name."""
    with mlflow.start_run():
        for model in models:
            mlflow.sklearn.log_model(
                model, name="model", registered_model_name=name, pip_requirements=["scikit-learn"], **options
            )


def small(labels: Any = KINDS) -> LogisticRegression:
    return LogisticRegression(C=0.005).fit(FLOWERS[TRAIN], labels[TRAIN])


def large(labels: Any = KINDS) -> LogisticRegression:
    return LogisticRegression(max_iter=500).fit(FLOWERS[TRAIN], labels[TRAIN])


@pytest.fixture(scope="module")
def flowers(store: Path) -> str:
    """Version 1: a coarse model, the champion; version 2: a good one; version 3: one always wrong on class 0."""
    wrong = np.where(KINDS == 0, 1, KINDS)
    register("flowers", small(), large(), large(wrong))
    return "flowers"


@pytest.fixture(autouse=True)
def champion(request: pytest.FixtureRequest) -> None:
    if "flowers" in request.fixturenames:
        client = MlflowClient()
        client.set_registered_model_alias("flowers", "champion", "1")
        client.set_registered_model_alias("flowers", "challenger", "2")


def champion_version(name: str = "flowers") -> str:
    return str(MlflowClient().get_model_version_by_alias(name, "champion").version)


def report(**more: Any) -> FlipReport:
    return compare(NAMES[TEST], small(NAMES), large(NAMES), inputs=FLOWERS[TEST], **more)


def test_a_report_becomes_metrics_tags_and_artifacts(client: MlflowClient, tmp_path: Path) -> None:
    measured = report(names=("coarse", "regression"))
    decision = decide(measured, LENIENT)
    with mlflow.start_run() as active:
        assert log_report(measured, decision=decision) == active.info.run_id
    run = client.get_run(active.info.run_id)
    for name, rate in measured.rates.items():
        assert run.data.metrics[f"flips/{name}"] == pytest.approx(rate.value)
        assert run.data.metrics[f"flips/{name}_low"] == pytest.approx(rate.low)
        assert run.data.metrics[f"flips/{name}_high"] == pytest.approx(rate.high)
    assert run.data.metrics["flips/samples"] == 100
    assert run.data.metrics["flips/negative_flips"] == measured.negative_flips
    assert run.data.metrics["flips/p_value"] == pytest.approx(measured.test.p_value)
    tags = {name: value for name, value in run.data.tags.items() if name.startswith("segue.")}
    assert tags.pop("segue.version")
    assert tags == {"segue.old": "coarse", "segue.new": "regression", "segue.verdict": "pass"}
    folder = Path(client.download_artifacts(active.info.run_id, "segue", str(tmp_path)))
    assert json.loads((folder / "report.json").read_text()) == json.loads(json.dumps(measured.to_dict()))
    assert json.loads((folder / "decision.json").read_text())["verdict"] == "pass"
    assert "regression" in (folder / "report.html").read_text()


def test_a_finished_run_other_names_and_graded_reports(client: MlflowClient) -> None:
    with mlflow.start_run() as finished:
        pass
    graded = compare_scores([0.5, 0.2, 0.9], [0.6, 0.1, 0.9], tolerance=0.05)
    log_report(graded, run_id=finished.info.run_id, prefix="bleu", artifact="bleu")
    run = client.get_run(finished.info.run_id)
    assert run.data.metrics["bleu/negative_flips"] == 1
    assert run.data.metrics["bleu/negative_flip_rate"] == pytest.approx(1 / 3)
    assert {one.path for one in client.list_artifacts(run.info.run_id, "bleu")} == {
        "bleu/report.json",
        "bleu/report.html",
    }


def test_undefined_numbers_are_left_to_the_json(client: MlflowClient) -> None:
    with mlflow.start_run() as active:
        log_report(compare([1, 1], [0, 0], [1, 1]))
    metrics = client.get_run(active.info.run_id).data.metrics
    assert "flips/backward_trust_compatibility" not in metrics
    assert "flips/relative_negative_flip_rate_high" not in metrics
    assert metrics["flips/positive_flip_rate"] == 1


def test_without_a_run_or_a_report_nothing_is_logged(client: MlflowClient) -> None:
    with pytest.raises(InputError, match=r"no MLflow run is active; log inside 'with mlflow.start_run\(\):'"):
        log_report(report())
    with pytest.raises(InputError, match="report is a dict; pass what compare"):
        log_report({}, run_id="any")


def test_the_numbers_are_those_of_compare_and_are_recorded(flowers: str, client: MlflowClient) -> None:
    found = validate_challenger(flowers, "challenger", FLOWERS[TEST], KINDS[TEST], policy=LENIENT)
    expected = compare(KINDS[TEST], small().predict(FLOWERS[TEST]), large().predict(FLOWERS[TEST]))
    assert found.report.counts == expected.counts
    assert (found.champion, found.challenger, found.promoted) == ("1", "2", False)
    assert (
        found.outcome
        == "Version 1 of 'flowers' stays the 'champion': version 2 passed; pass promote=True to move the alias."
    )
    assert champion_version() == "1"
    tags = client.get_model_version(flowers, "2").tags
    assert tags["segue.verdict"] == "pass"
    assert tags["segue.champion"] == "1"
    assert tags["segue.run_id"] == found.run_id
    run = client.get_run(found.run_id)
    assert run.info.status == "FINISHED"
    assert run.data.metrics["flips/negative_flip_rate"] == pytest.approx(expected.negative_flip_rate.value)
    assert run.data.tags["segue.new"] == "flowers v2"
    assert str(found).startswith("PASS: flowers v2 may replace flowers v1")
    assert json.loads(json.dumps(found.to_dict()))["decision"]["verdict"] == "pass"


def test_a_challenger_that_passes_is_promoted_when_asked(flowers: str) -> None:
    found = validate_challenger(flowers, 2, FLOWERS[TEST], KINDS[TEST], policy=LENIENT, promote=True)
    assert found.promoted
    assert found.outcome == "Version 2 of 'flowers' passed: the alias 'champion' was moved to it from 1."
    assert champion_version() == "2"


@pytest.mark.parametrize(
    ("challenger", "policy", "verdict"),
    [("3", STRICT, "fail"), ("2", STRICT, "undecided")],
)
def test_a_challenger_that_does_not_pass_is_never_promoted(
    flowers: str, client: MlflowClient, challenger: str, policy: Policy, verdict: str
) -> None:
    found = validate_challenger(flowers, challenger, FLOWERS[TEST], KINDS[TEST], policy=policy, promote=True)
    assert found.decision.verdict == verdict
    assert not found.promoted
    assert found.outcome.endswith(f"stays the 'champion': the verdict on version {challenger} is {verdict}.")
    assert champion_version() == "1"
    assert client.get_model_version(flowers, challenger).tags["segue.verdict"] == verdict


def test_an_alias_that_moved_meanwhile_is_left_alone(flowers: str) -> None:
    def moved_while_predicting(output: Any) -> Any:
        MlflowClient().set_registered_model_alias(flowers, "champion", "3")
        return output

    found = validate_challenger(
        flowers, 2, FLOWERS[TEST], KINDS[TEST], policy=LENIENT, promote=True, answers=moved_while_predicting
    )
    assert found.decision.passed
    assert not found.promoted
    assert "was moved from version 1 to 3 while version 2 was compared" in found.outcome
    assert champion_version() == "3"


def test_an_active_run_is_used_and_options_reach_compare(flowers: str, tmp_path: Path) -> None:
    size = np.where(FLOWERS[TEST, 2] > 4, "large", "small")
    policy = tmp_path / "policy.toml"
    policy.write_text('max_nfr = 0.5\nconfidence = 0.9\n[[slices]]\ncolumn = "size"\nmax_nfr = 0.6\n')
    with mlflow.start_run() as active:
        found = validate_challenger(flowers, 2, FLOWERS[TEST], KINDS[TEST], policy=policy, slices={"size": size})
        assert mlflow.active_run() is not None
    assert found.run_id == active.info.run_id
    assert found.report.confidence == 0.9
    assert {part.name for part in found.report.slices} == {"size = large", "size = small"}


def test_probabilities_strings_and_data_frames(store: Path) -> None:
    register("kinds", small(NAMES), large(NAMES), pyfunc_predict_fn="predict_proba")
    MlflowClient().set_registered_model_alias("kinds", "champion", "1")
    data = pd.DataFrame(FLOWERS[TEST])
    classes = list(large(NAMES).classes_)
    labels = pd.Series(NAMES[TEST])
    found = validate_challenger("kinds", 2, data, labels, policy=LENIENT, classes=classes)
    assert found.report.counts == report().counts
    assert found.report.fractional_flips is not None
    named = validate_challenger(
        "kinds", 2, data, labels, policy=LENIENT, answers=lambda output: pd.DataFrame(output, columns=classes)
    )
    assert named.report.counts == report().counts


class Words(mlflow.pyfunc.PythonModel):
    """What text classifiers return: a label and a score per sample."""

    def predict(self, context: Any, model_input: pd.DataFrame) -> pd.DataFrame:
        return pd.DataFrame({"label": ["yes"] * len(model_input), "score": 0.9})


def test_models_that_return_several_things_need_a_function(store: Path) -> None:
    with mlflow.start_run():
        for _ in range(2):
            mlflow.pyfunc.log_model(
                name="model", python_model=Words(), registered_model_name="words", pip_requirements=[]
            )
    MlflowClient().set_registered_model_alias("words", "champion", "1")
    data = pd.DataFrame({"text": ["a", "b"]})
    with pytest.raises(InputError, match="version 1 of 'words' predicts label, score for each sample; pass answers="):
        validate_challenger("words", 2, data, ["yes", "no"], policy=LENIENT)
    found = validate_challenger("words", 2, data, ["yes", "no"], policy=LENIENT, answers=lambda frame: frame["label"])
    assert found.report.accuracy_new.value == 0.5


@pytest.mark.parametrize(
    ("name", "challenger", "data", "labels", "sentence"),
    [
        ("flowers", 9, FLOWERS[TEST], KINDS[TEST], r"'flowers' has no version 9 \(it has versions 1, 2, 3\)"),
        ("flowers", "next", FLOWERS[TEST], KINDS[TEST], r"no alias 'next' .* set it with MlflowClient\(\)"),
        ("flowers", 1, FLOWERS[TEST], KINDS[TEST], "version 1 of 'flowers' is the 'champion' already"),
        ("trees", 1, FLOWERS[TEST], KINDS[TEST], r"has no versions of a model 'trees'; register one first"),
        ("o'trees", 1, FLOWERS[TEST], KINDS[TEST], r"has no versions of a model \"o'trees\"; register one first"),
        ("flowers", 2, FLOWERS[TEST, :2], KINDS[TEST], "version 1 of 'flowers' can't predict from data: X has 2"),
        ("flowers", 2, FLOWERS[TEST], KINDS, "differ in length: labels has 150, old has 100"),
        ("flowers", 2, FLOWERS[TEST], NAMES[TEST], "labels"),
    ],
)  # fmt: skip
def test_mistakes_are_told_in_one_sentence_and_nothing_is_recorded(
    flowers: str, client: MlflowClient, name: str, challenger: Any, data: Any, labels: Any, sentence: str
) -> None:
    runs = len(client.search_runs([mlflow.get_experiment_by_name("flips").experiment_id]))
    with pytest.raises(InputError, match=sentence) as caught:
        validate_challenger(name, challenger, data, labels, policy=LENIENT, promote=True)
    assert "\n" not in str(caught.value)
    assert len(client.search_runs([mlflow.get_experiment_by_name("flips").experiment_id])) == runs
    assert champion_version() == "1"


def test_without_a_champion_the_sentence_says_how_to_name_one(store: Path) -> None:
    register("orphan", small())
    with pytest.raises(InputError, match=r"no alias 'champion' .*; there is no champion to compare with; set it with"):
        validate_challenger("orphan", 1, FLOWERS[TEST], KINDS[TEST], policy=LENIENT)


def test_a_policy_that_is_none_is_refused_before_anything_is_loaded() -> None:
    with pytest.raises(InputError, match="policy is a float; pass a Policy"):
        validate_challenger("anything", 2, FLOWERS, KINDS, policy=0.01)


def test_a_registry_that_cannot_be_reached_is_named(store: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    here = mlflow.get_tracking_uri()
    mlflow.set_tracking_uri("http://127.0.0.1:9")
    try:
        with pytest.raises(InputError, match=r"can't look up the alias 'champion' .* at http://127.0.0.1:9: API req"):
            validate_challenger("flowers", 2, FLOWERS[TEST], KINDS[TEST], policy=LENIENT)
    finally:
        mlflow.set_tracking_uri(here)


def evaluated(metric: Any) -> Any:
    data = pd.DataFrame({"label": KINDS[TEST], "prediction": large().predict(FLOWERS[TEST])})
    with mlflow.start_run():
        return mlflow.models.evaluate(data=data, targets="label", predictions="prediction", extra_metrics=[metric])


def test_evaluate_takes_flips_and_a_threshold_on_their_upper_end(client: MlflowClient) -> None:
    result = evaluated(flip_metric(small().predict(FLOWERS[TEST])))
    measured = report().negative_flip_rate
    assert result.metrics["negative_flip_rate"] == pytest.approx(measured.value)
    assert result.metrics["negative_flip_rate/low"] == pytest.approx(measured.low)
    assert result.metrics["negative_flip_rate/high"] == pytest.approx(measured.high)
    for limit in (measured.high + 0.01, measured.high - 0.01):
        thresholds = {"negative_flip_rate/high": MetricThreshold(threshold=limit, greater_is_better=False)}
        if limit > measured.high:
            mlflow.validate_evaluation_results(thresholds, result)
        else:
            with pytest.raises(MlflowException, match="negative_flip_rate/high"):
                mlflow.validate_evaluation_results(thresholds, result)


def test_a_metric_that_does_not_exist_or_has_no_direction_is_refused() -> None:
    with pytest.raises(InputError, match="rate is 'nfr'; pass one of accuracy_old"):
        flip_metric([0], "nfr")
    with pytest.raises(InputError, match="has no better direction"):
        flip_metric([0], "backward_error_compatibility_given_old_error")


def test_the_example_in_the_docs_runs(store: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    here = mlflow.get_tracking_uri()
    monkeypatch.chdir(store)  # where its relative address means the database that is there already
    try:
        assert run_section("MLflow")["result"]
    finally:
        mlflow.set_tracking_uri(here)
