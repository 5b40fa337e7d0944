"""The GitHub Action: its steps run in bash, one after the other, with inputs in the environment as on GitHub."""

import json
import os
import re
import stat
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import yaml

from tests.cli.tables import SEGUE, write_csv, write_pair

ROOT = Path(__file__).parents[2]
ACTION = yaml.safe_load((ROOT / "action.yml").read_text(encoding="utf-8"))
STEPS = ACTION["runs"]["steps"]
BASH = ["bash", "--noprofile", "--norc", "-eo", "pipefail"]  # as GitHub runs "shell: bash"

# Stands for GitHub's gh where there is no GitHub: keeps comments in a file, and refuses to when it is told to.
GH = """#!{python}
import json, os, sys
from pathlib import Path

words, store = sys.argv[1:], Path(os.environ["COMMENTS"])
if os.environ.get("REFUSED"):
    sys.exit("gh: Resource not accessible by integration (HTTP 403)")
comments = json.loads(store.read_text())
assert words[0] == "api" and os.environ["GH_TOKEN"] == "token"
if "--jq" in words:
    assert words[1:4] == ["--paginate", "repos/us/model/issues/7/comments", "--jq"]
    assert words[4] == (
        '.[] | select(.user.login == $ENV.AUTHOR and (.body | startswith("<!-- segue-gate -->"))) | .id'
    )
    for comment in comments:
        if comment["user"]["login"] == os.environ["AUTHOR"] and comment["body"].startswith("<!-- segue-gate -->"):
            print(comment["id"])
    sys.exit()
method, address = words[words.index("--method") + 1 :][:2]
name, _, source = words[words.index("--field") + 1].partition("=@")
assert name == "body"
body = Path(source).read_text()
if method == "POST":
    assert address == "repos/us/model/issues/7/comments"
    comments.append({{"id": 100 + len(comments), "user": {{"login": os.environ["AUTHOR"]}}, "body": body}})
else:
    (comment,) = (one for one in comments if address == f"repos/us/model/issues/comments/{{one['id']}}")
    comment["body"] = body
store.write_text(json.dumps(comments))
"""


@dataclass
class Job:
    """What a job with the action as its only step came to."""

    code: int = 0
    log: str = ""
    outputs: dict[str, str] = field(default_factory=dict)
    summary: str = ""
    ran: list[str] = field(default_factory=list)


@pytest.fixture
def job(tmp_path):
    """Run the action in an empty folder with two tables."""
    runner = tmp_path / "runner"
    runner.mkdir()
    (tmp_path / "bin").mkdir()
    gh = tmp_path / "bin" / "gh"
    gh.write_text(GH.format(python=sys.executable))
    gh.chmod(gh.stat().st_mode | stat.S_IXUSR)
    (tmp_path / "comments.json").write_text("[]")

    def run(*, pull_request="", refused="", **inputs):
        given = {name.replace("_", "-"): value for name, value in inputs.items()}
        assert set(given) <= set(ACTION["inputs"])
        values = {f"inputs.{name}": given.get(name, spec.get("default", "")) for name, spec in ACTION["inputs"].items()}
        values |= {
            "inputs.token": "token",
            "inputs.install": "false",
            "github.repository": "us/model",
            "github.event.pull_request.number": pull_request,
        }
        conditions = {
            "inputs.install == 'true'": values["inputs.install"] == "true",
            "inputs.comment == 'true' && github.event.pull_request.number": values["inputs.comment"] == "true"
            and bool(pull_request),
        }
        result = Job()
        for name in ("output", "summary", "path"):
            (runner / name).write_text("")
        for step in STEPS:
            if "if" in step and not conditions[step["if"]]:
                continue
            environment = {name: filled(text, values) for name, text in step.get("env", {}).items()}
            done = subprocess.run(
                [*BASH, "-c", step["run"]],
                cwd=tmp_path / filled(step.get("working-directory", "."), values),
                env={
                    "PATH": f"{tmp_path / 'bin'}{os.pathsep}{SEGUE.parent}{os.pathsep}{os.environ['PATH']}",
                    "HOME": str(tmp_path),
                    "LANG": "C.UTF-8",
                    "RUNNER_TEMP": str(runner),
                    "GITHUB_OUTPUT": str(runner / "output"),
                    "GITHUB_STEP_SUMMARY": str(runner / "summary"),
                    "GITHUB_PATH": str(runner / "path"),
                    "GITHUB_ACTION_PATH": str(ROOT),
                    "COMMENTS": str(tmp_path / "comments.json"),
                    "REFUSED": refused,
                    **environment,
                },
                capture_output=True,
                text=True,
                check=False,
            )
            result.ran.append(step["name"])
            result.log += done.stdout + done.stderr
            result.outputs = dict(line.split("=", 1) for line in (runner / "output").read_text().splitlines())
            values |= {f"steps.{step.get('id')}.outputs.{name}": value for name, value in result.outputs.items()}
            result.code = done.returncode
            if result.code:
                break  # GitHub skips the steps after one that failed
        result.summary = (runner / "summary").read_text()
        return result

    run.folder = tmp_path
    run.comments = lambda: json.loads((tmp_path / "comments.json").read_text())
    return run


def filled(text, values):
    return re.sub(r"\$\{\{\s*([^}]+?)\s*\}\}", lambda found: values.get(found[1], ""), str(text))


PAIR = {"old": "old.csv", "new": "new.csv", "id": "id"}


@pytest.mark.parametrize(
    ("samples", "broken", "verdict", "code"),
    [(1000, 0, "pass", 0), (1000, 50, "fail", 1), (100, 0, "undecided", 3)],
)
def test_the_job_fails_unless_the_gate_passes(job, samples, broken, verdict, code):
    write_pair(job.folder, samples, broken)
    result = job(**PAIR, max_nfr="0.01")
    assert result.code == code
    assert result.outputs["verdict"] == verdict
    assert result.outputs["exit-code"] == str(code)
    assert f"Segue gate: {verdict.upper()}" in result.summary
    assert ("::error" in result.log) == (code != 0)
    assert result.ran == ["Compare and decide", "Apply the verdict"]


def test_undecided_may_pass_with_a_warning_but_a_failure_may_not(job):
    write_pair(job.folder, 100)
    result = job(**PAIR, max_nfr="0.01", undecided="warn")
    assert (result.code, "::warning" in result.log) == (0, True)
    write_pair(job.folder, 1000, 50)
    assert job(**PAIR, max_nfr="0.01", undecided="warn").code == 1
    assert job(**PAIR, max_nfr="0.01", undecided="ignore").code == 2


def test_bad_input_fails_the_job_and_says_why(job):
    write_pair(job.folder, 100)
    result = job(**PAIR, max_nfr="lots")
    assert (result.code, result.outputs["verdict"]) == (2, "error")
    sentence = "Error: Invalid value for '--max-nfr': 'lots' is not a number; see: segue gate --help"
    assert sentence in result.log
    assert f"    {sentence}" in result.summary
    missing = job(old="none.csv", new="new.csv", id="id", max_nfr="0.1")
    assert (missing.code, missing.outputs["verdict"]) == (2, "error")


def test_all_inputs_reach_the_command(job):
    write_pair(job.folder, 2000, 10)
    (job.folder / "policy.toml").write_text("max_churn = 0.1")
    (job.folder / "golden.txt").write_text("s1999\n")
    result = job(
        **PAIR, label="label", prediction="prediction", slices="country\n\nsure\n", policy="policy.toml",
        max_nfr="0.02", max_slice_nfr="0.9", golden="golden.txt", options="--on\npoint\n--new-name\nv2 (nightly)",
        report="r.html", junit="gate.xml", json="gate.json",
    )  # fmt: skip
    assert result.code == 0, result.log
    told = json.loads((job.folder / "gate.json").read_text())
    assert told["names"]["new"] == "v2 (nightly)"
    rules = [(check["rule"], check["where"]) for check in told["checks"]]
    assert {"max_nfr", "max_churn", "golden"} <= {rule for rule, where in rules if where is None}
    assert {where.split(" = ")[0] for _, where in rules if where} == {"country", "sure"}
    assert (job.folder / "r.html").exists()
    assert (job.folder / "gate.xml").exists()


def test_one_file_with_both_answers_in_another_folder(job):
    (job.folder / "data").mkdir()
    write_csv(job.folder / "data" / "both.csv", {"label": ["a"] * 500, "v1": ["a"] * 500, "v2": ["a"] * 500})
    options = "--old-prediction\nv1\n--new-prediction\nv2"
    assert job(old="both.csv", max_nfr="0.01", options=options, working_directory="data").code == 0


def test_inputs_are_never_code(job):
    write_pair(job.folder, 100)
    planted = "$(touch planted) `touch planted`; touch planted #"
    names = ("old", "new", "id", "max_nfr", "slices", "policy", "golden", "options", "label", "report", "json")
    assert job(**dict.fromkeys(names, planted), comment="true", pull_request="7").code == 2
    assert job(**{**PAIR, "old": "--help"}, max_nfr="0.1").code == 2  # a file of that name, not an option
    assert not (job.folder / "planted").exists()
    for step in STEPS:
        assert "${{" not in step["run"]  # GitHub would paste the value into the script
        assert "eval" not in step["run"]


def test_the_pull_request_gets_one_comment_that_is_kept_up_to_date(job):
    stranger = {"id": 1, "user": {"login": "mallory"}, "body": "<!-- segue-gate -->\nPASS, trust me"}
    (job.folder / "comments.json").write_text(json.dumps([stranger]))
    write_pair(job.folder, 1000, 50)
    first = job(**PAIR, max_nfr="0.01", comment="true", pull_request="7")
    assert first.code == 1
    assert first.ran[1] == "Comment on the pull request"
    assert [comment["user"]["login"] for comment in job.comments()] == ["mallory", "github-actions[bot]"]
    assert "Segue gate: FAIL" in job.comments()[1]["body"]
    write_pair(job.folder, 1000)
    second = job(**PAIR, max_nfr="0.01", comment="true", pull_request="7")
    assert second.code == 0
    assert len(job.comments()) == 2
    assert "Segue gate: PASS" in job.comments()[1]["body"]
    assert job.comments()[0] == stranger
    broken = job(**{**PAIR, "old": "none.csv"}, max_nfr="0.01", comment="true", pull_request="7")
    assert broken.code == 2
    assert "Segue gate: no verdict" in job.comments()[1]["body"]  # not yesterday's PASS


def test_without_a_pull_request_nothing_is_commented(job):
    write_pair(job.folder, 1000)
    assert job(**PAIR, max_nfr="0.01", comment="true").code == 0
    assert job.comments() == []


@pytest.mark.parametrize(("broken", "code"), [(0, 0), (50, 1)])
def test_a_comment_that_cannot_be_written_changes_no_verdict(job, broken, code):
    write_pair(job.folder, 1000, broken)
    result = job(**PAIR, max_nfr="0.01", comment="true", pull_request="7", refused="yes")
    assert result.code == code
    assert "::warning title=Segue gate::the comment could not be written" in result.log


def test_the_verdict_step_fails_where_there_is_no_verdict():
    (step,) = (step for step in STEPS if step["name"] == "Apply the verdict")
    for given in ("", "70", "137"):
        done = subprocess.run(
            [*BASH, "-c", step["run"]], env={"CODE": given, "UNDECIDED": "warn", "PATH": os.environ["PATH"]}
        )
        assert done.returncode == int(given or 2)


def test_the_action_is_described_as_github_asks():
    assert set(ACTION) == {"name", "description", "branding", "inputs", "outputs", "runs"}
    assert ACTION["runs"]["using"] == "composite"
    ids = {step.get("id") for step in STEPS}
    for output in ACTION["outputs"].values():
        assert re.fullmatch(r"\$\{\{ steps\.(\w+)\.outputs\.[\w-]+ \}\}", output["value"])[1] in ids
    for name, spec in ACTION["inputs"].items():
        assert spec["description"]
        assert spec.get("required") or "default" in spec, name
    used = set(re.findall(r"inputs\.([\w-]+)", json.dumps(STEPS)))
    assert used == set(ACTION["inputs"])
    for step in STEPS:
        assert step["shell"] == "bash"
        subprocess.run(["bash", "-n", "-c", step["run"]], check=True)
