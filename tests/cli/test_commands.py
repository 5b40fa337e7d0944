"""The installed command: exit codes, and what it writes where."""

import json
import os
import re
import signal
import subprocess
import time
import tomllib
from xml.etree import ElementTree

import junitparser
import pytest
from markdown_it import MarkdownIt

from segue import __version__
from segue.flips import compare
from tests.cli.tables import SEGUE, in_a_terminal, installed, segue, write_csv, write_pair

JOINED = ("old.csv", "new.csv", "--id", "id")


@pytest.mark.parametrize(
    ("samples", "broken", "verdict", "code"), [(1000, 0, "PASS", 0), (1000, 50, "FAIL", 1), (100, 0, "UNDECIDED", 3)]
)
def test_the_gates_exit_code_is_its_verdict(tmp_path, samples, broken, verdict, code):
    write_pair(tmp_path, samples, broken)
    result = installed("gate", *JOINED, "--max-nfr", "0.01", cwd=tmp_path)
    assert result.returncode == code
    assert result.stdout.startswith(f"{verdict}: ")
    assert result.stderr == ""
    quiet = installed("gate", *JOINED, "--max-nfr", "0.01", "--json", cwd=tmp_path)
    told = json.loads(quiet.stdout)
    assert (quiet.returncode, told["exit_code"], told["verdict"].upper()) == (code, code, verdict)


@pytest.mark.parametrize(
    "typed",
    [
        ("gate", *JOINED),  # no limit
        ("gate", *JOINED, "--max-nfr", "abc"),
        ("gate", *JOINED, "--max-nfrr", "0.1"),
        ("gate", "old.csv", "none.csv", "--id", "id", "--max-nfr", "0.1"),
        ("gate", "--max-nfr", "0.1"),
        ("gat",),
        ("compare",),
        (),
    ],
)
def test_usage_and_bad_input_end_in_code_2_without_a_traceback(tmp_path, typed):
    write_pair(tmp_path, 10)
    result = installed(*typed, cwd=tmp_path)
    assert result.returncode == 2
    assert "Traceback" not in result.stderr
    if typed:
        assert result.stdout == ""
        assert result.stderr.startswith("Error: ")
        assert result.stderr.count("\n") == 1


def test_the_gate_writes_all_its_forms_at_once(tmp_path):
    write_pair(tmp_path, 1000, broken=50, mended=20)
    files = ("--json", "gate.json", "--junit", "gate.xml", "--markdown", "gate.md", "--report", "report.html")
    result = segue("gate", *JOINED, "--max-nfr", "0.01", "--slice", "country", *files, cwd=tmp_path)
    assert result.returncode == 1
    assert "The report is in report.html" in result.stdout
    assert json.loads((tmp_path / "gate.json").read_text())["verdict"] == "fail"
    (suite,) = junitparser.JUnitXml.fromfile(str(tmp_path / "gate.xml"))
    assert (suite.tests, suite.failures) == (1, 1)
    tokens = MarkdownIt("commonmark").enable("table").parse((tmp_path / "gate.md").read_text())
    assert sum(token.type == "table_open" for token in tokens) == 2
    page = (tmp_path / "report.html").read_text()
    assert "segue gate old.csv new.csv --id id --max-nfr 0.01" in page
    assert "must not replace" in page


def test_a_policy_file_and_options_go_together(tmp_path):
    write_pair(tmp_path, 2000, broken=100)
    (tmp_path / "policy.toml").write_text(
        'max_nfr = 0.01\nmax_churn = 0.2\nconfidence = 0.9\n[[slices]]\ncolumn = "country"\nmax_nfr = 0.5\n'
    )
    alone = segue("gate", *JOINED, "--policy", "policy.toml", "--json", cwd=tmp_path)
    assert alone.returncode == 1
    told = json.loads(alone.stdout)
    assert told["confidence"] == 0.9
    assert [check["where"] for check in told["checks"]] == [
        None,
        None,
        *(f"country = {c}" for c in ("DE", "ES", "FR", "IT")),
    ]
    both = segue("gate", *JOINED, "--policy", "policy.toml", "--max-nfr", "0.1", "--confidence", "0.99", cwd=tmp_path)
    assert both.returncode == 0
    assert "Note: --max-nfr 0.1 takes the place of the policy's max_nfr, which is 0.01." in both.stdout
    slices = segue(
        "gate", *JOINED, "--policy", "policy.toml", "--max-nfr", "0.1", "--max-slice-nfr", "0.01", cwd=tmp_path
    )
    assert slices.returncode == 0  # the policy's own budget of the column is the more special one
    points = segue("gate", *JOINED, "--max-nfr", "0.05", "--on", "point", cwd=tmp_path)
    assert (points.returncode, "(point estimate)" in points.stdout) == (0, True)


def test_every_limit_can_be_typed(tmp_path):
    write_pair(tmp_path, 2000, broken=10, mended=10)
    typed = (
        "--max-nfr", "0.1", "--max-relative-nfr", "5", "--max-churn", "0.1", "--min-accuracy-change", "-0.1",
        "--max-slice-nfr", "0.2", "--minimum-samples", "10", "--slice", "country", "--json",
    )  # fmt: skip
    result = segue("gate", *JOINED, *typed, cwd=tmp_path)
    told = json.loads(result.stdout)
    assert [check["rule"] for check in told["checks"]] == [
        "minimum_samples", "max_nfr", "max_relative_nfr", "max_churn", "min_accuracy_change", *["max_nfr"] * 4,
    ]  # fmt: skip


def test_protected_samples_are_found_beyond_the_flips_that_are_shown(tmp_path):
    write_pair(tmp_path, 1000, broken=50)

    def gated(*ids, **options):
        (tmp_path / "golden.txt").write_text("\n".join(ids))
        typed = [word for name, value in options.items() for word in (f"--{name.replace('_', '-')}", value)]
        return segue("gate", *JOINED, "--golden", "golden.txt", "--flips", "3", *typed, cwd=tmp_path)

    held = gated("s50", "s999")
    assert (held.returncode, "none of 2 flipped from right to wrong" in held.stdout) == (0, True)
    flipped = gated("s50", "s49")
    assert (flipped.returncode, "1 of 2 flipped from right to wrong: s49" in flipped.stdout) == (1, True)
    absent = gated("s50", "other's")
    assert (absent.returncode, "1 of 2 are not in the data: other's" in absent.stdout) == (3, True)
    (tmp_path / "policy.toml").write_text('[golden]\nids = ["s1"]\n')
    assert gated("s50", policy="policy.toml").returncode == 1  # the two lists are joined


def test_a_protected_sample_that_was_left_out_has_not_been_shown_to_hold(tmp_path):
    write_pair(tmp_path, 10, new_prediction=["", *["cat", "dog"] * 4, "cat"])
    (tmp_path / "golden.txt").write_text("s0\n")
    result = segue("gate", *JOINED, "--golden", "golden.txt", "--nulls", "drop", cwd=tmp_path)
    assert (result.returncode, "1 of 1 are not in the data: s0" in result.stdout) == (3, True)


def test_compare_says_what_compare_on_arrays_says(tmp_path):
    write_pair(tmp_path, 400, broken=12, mended=30)
    result = segue("compare", *JOINED, "--label", "label", "--prediction", "prediction", "--slice", "country",
                   "--json", "out.json", cwd=tmp_path)  # fmt: skip
    assert result.returncode == 0
    assert "negative flip rate" in result.stdout
    labels = ["cat", "dog"] * 200
    old = [{"cat": "dog", "dog": "cat"}[x] if 12 <= k < 42 else x for k, x in enumerate(labels)]
    new = [{"cat": "dog", "dog": "cat"}[x] if k < 12 else x for k, x in enumerate(labels)]
    expected = compare(labels, old, new, slices={"country": ["DE", "FR", "IT", "ES"] * 100}).to_dict()
    told = json.loads((tmp_path / "out.json").read_text())
    assert told["counts"] == expected["counts"]
    assert {key: pytest.approx(value) for key, value in expected["rates"]["churn"].items()} == told["rates"]["churn"]
    assert {part["value"]: part["counts"] for part in told["slices"]} == {
        part["value"]: part["counts"] for part in expected["slices"]
    }


def test_one_file_may_hold_both_models_answers(tmp_path):
    write_csv(tmp_path / "both.csv", {"label": ["a", "b", "c"], "v1": ["a", "b", "b"], "v2": ["a", "c", "c"]})
    result = segue("compare", "both.csv", "--old-prediction", "v1", "--new-prediction", "v2", "--json", cwd=tmp_path)
    told = json.loads(result.stdout)
    assert (told["negative_flips"], told["positive_flips"]) == (1, 1)
    assert told["names"] == {"old": "v1", "new": "v2"}


def test_columns_may_have_other_names_in_the_new_file(tmp_path):
    write_csv(tmp_path / "old.csv", {"id": [1, 2], "label": ["a", "b"], "prediction": ["a", "b"]})
    write_csv(tmp_path / "new.csv", {"key": [2, 1], "truth": ["b", "a"], "answer": ["a", "a"]})
    result = segue("compare", *JOINED, "--new-id", "key", "--new-label", "truth", "--new-prediction", "answer",
                   "--json", cwd=tmp_path)  # fmt: skip
    assert json.loads(result.stdout)["negative_flips"] == 1


@pytest.mark.parametrize(
    ("name", "text"),
    [("map.toml", 'pet = ["cat", "dog"]\nfox = "fox"\n'), ("map.json", '{"pet": ["cat", "dog"], "fox": "fox"}')],
)
def test_classes_that_changed_go_through_a_map(tmp_path, name, text):
    (tmp_path / name).write_text(text)
    write_csv(
        tmp_path / "old.csv", {"id": [1, 2, 3], "label": ["cat", "dog", "fox"], "prediction": ["pet", "pet", "fox"]}
    )
    write_csv(tmp_path / "new.csv", {"id": [1, 2, 3], "prediction": ["cat", "cat", "fox"]})
    result = segue("compare", *JOINED, "--class-map", name, "--json", cwd=tmp_path)
    assert json.loads(result.stdout)["counts"] == {
        "both_right": 2, "negative_flips": 1, "positive_flips": 0, "both_wrong_same": 0, "both_wrong_differ": 0,
    }  # fmt: skip


def test_odd_samples_are_treated_as_the_user_chooses(tmp_path):
    write_pair(tmp_path, 10, new_prediction=["", *["cat", "dog"] * 4, "cat"])
    dropped = segue("compare", *JOINED, "--nulls", "drop", "--json", cwd=tmp_path)
    assert json.loads(dropped.stdout)["samples"] == 9
    wrong = segue("compare", *JOINED, "--nulls", "wrong", "--json", cwd=tmp_path)
    assert json.loads(wrong.stdout)["samples"] == 10
    assert "as asked" in json.loads(wrong.stdout)["notes"][0]


def test_flips_and_their_columns_are_written_and_shown(tmp_path):
    write_pair(tmp_path, 100, broken=5)
    result = segue("compare", *JOINED, "--flips-to", "flips.csv", "--column", "country", "--old-confidence", "sure",
                   "--new-confidence", "sure", "--report", "report.html", "--old-name", "v1", "--new-name", "v2",
                   cwd=tmp_path)  # fmt: skip
    assert result.returncode == 0, result.stderr
    lines = (tmp_path / "flips.csv").read_text().splitlines()
    assert len(lines) == 6
    assert "country" in lines[0]
    page = (tmp_path / "report.html").read_text()
    assert "v2" in page
    assert "old_sure" not in page  # the report knows it as the old model's confidence


# --- JSON, terminals, streams ----------------------------------------------------------------------------------------


def test_nothing_but_json_is_on_standard_output(tmp_path):
    write_pair(tmp_path, 100, broken=5)
    for typed in (("--json",), ("--json", "-")):
        result = segue("compare", *JOINED, *typed, cwd=tmp_path)
        assert json.loads(result.stdout)["schema"] == "segue.flips/1"
    power = segue("power", "--budget", "0.01", "--json")
    assert json.loads(power.stdout)["samples_to_pass"][0] == {"nfr": 0.0, "samples": 368}
    (tmp_path / "policy.toml").write_text("max_nfr = 0.01")
    policy = segue("policy", "check", "policy.toml", "--json", cwd=tmp_path)
    assert json.loads(policy.stdout) == {"max_nfr": {"limit": 0.01}, "on": "confidence", "slices": []}


def test_an_input_is_never_written_over(tmp_path):
    write_pair(tmp_path, 10)
    before = (tmp_path / "old.csv").read_bytes()
    for typed in (
        ("compare", "--json", "old.csv", "new.csv", "--id", "id"),  # --json takes what follows for its file
        ("compare", *JOINED, "--report", "old.csv"),
        ("gate", *JOINED, "--max-nfr", "0.1", "--junit", "./new.csv"),
        ("gate", *JOINED, "--max-nfr", "0.1", "--junit", "same.txt", "--markdown", "same.txt"),
    ):
        assert segue(*typed, cwd=tmp_path).returncode == 2
    assert (tmp_path / "old.csv").read_bytes() == before
    assert sorted(path.name for path in tmp_path.iterdir()) == ["new.csv", "old.csv"]


@pytest.mark.parametrize("option", ["--flips-to", "--report", "--json", "--junit", "--markdown"])
@pytest.mark.parametrize("given", ["glob", "folder", "deep glob", "link", "hard link", "policy", "golden", "database"])
def test_no_output_replaces_a_part_of_the_input(option, given, tmp_path):
    write_pair(tmp_path, 10)
    (tmp_path / "parts" / "a").mkdir(parents=True)
    part = tmp_path / "parts" / ("a/new.csv" if given == "deep glob" else "new.csv")
    (tmp_path / "new.csv").rename(part)
    other = tmp_path / "other.json"  # --json wants this ending
    (tmp_path / "golden.json").write_text("s1\n")
    (tmp_path / "policy.json").write_text('max_nfr = 0.5\n[golden]\nfile = "golden.json"\n')
    (tmp_path / "tables.json").write_bytes(b"a database")
    new = {"glob": "parts/*.csv", "folder": "parts", "deep glob": "parts/**/*.csv"}.get(given, "parts/new.csv")
    if given == "database":
        new = "duckdb://tables.json#new"
    targets = {"policy": "policy.json", "golden": "golden.json", "database": "tables.json"}
    if given in targets:
        target = targets[given]
    else:
        target = other.name
        if given == "hard link":
            os.link(part, other)
        else:
            other.symlink_to(part)
    before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    typed = ("gate", "old.csv", new, "--id", "id", "--policy", "policy.json", option, target)
    result = segue(*typed, cwd=tmp_path)
    assert (result.returncode, result.stdout) == (2, "")
    assert result.stderr == f"Error: {option}: {target!r} is an input as well; name another file\n"
    assert {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()} == before


def test_a_terminal_gets_colour_unless_no_color_is_set(tmp_path):
    write_pair(tmp_path, 1000, broken=50)
    typed = ("gate", *JOINED, "--max-nfr", "0.01")
    code, shown = in_a_terminal(*typed, cwd=tmp_path)
    assert (code, "\x1b[1;31mFAIL" in shown) == (1, True)
    code, shown = in_a_terminal(*typed, "--no-progress", cwd=tmp_path, env={"NO_COLOR": "1"})
    assert code == 1
    assert "FAIL" in shown
    assert not re.search(r"\x1b\[[0-9;]*3[0-9]m", shown)
    assert "\x1b" not in installed(*typed, cwd=tmp_path).stdout


def test_a_terminal_that_cannot_show_a_name_is_no_reason_to_fail(tmp_path):
    write_pair(tmp_path, 100, old_country=["Österreich", "日本"] * 50)
    result = installed("compare", *JOINED, "--slice", "country", cwd=tmp_path, env={"PYTHONIOENCODING": "ascii"})
    assert result.returncode == 0
    assert "\\xd6sterreich" in result.stdout


def test_a_reader_that_stops_early_is_not_mistaken_for_a_verdict(tmp_path):
    write_pair(tmp_path, 400, old_country=[f"c{number}" for number in range(400)])
    process = subprocess.Popen(
        [SEGUE, "compare", *JOINED, "--slice", "country", "--json"], cwd=tmp_path, stdout=subprocess.PIPE,
        stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    process.stdout.close()
    stderr = process.stderr.read()
    process.stderr.close()
    assert process.wait() == 74
    assert "Traceback" not in stderr


def test_ctrl_c_ends_in_130(tmp_path):
    os.mkfifo(tmp_path / "slow.jsonl")
    write_pair(tmp_path, 10)
    process = subprocess.Popen(
        [SEGUE, "gate", *JOINED, "--max-nfr", "0.1", "--policy", "slow.jsonl"], cwd=tmp_path,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    writer = os.open(tmp_path / "slow.jsonl", os.O_WRONLY)  # returns when the command has opened the policy to read it
    time.sleep(0.2)
    process.send_signal(signal.SIGINT)
    stdout, stderr = process.communicate(timeout=60)
    os.close(writer)
    assert process.returncode == 130
    assert (stdout, stderr) == ("", "Interrupted.\n")


def test_a_bug_is_not_mistaken_for_a_verdict(tmp_path):
    write_pair(tmp_path, 10)
    broken = (
        "import sys, segue.cli.measuring as m\n"
        "def fail(*a, **k): raise ZeroDivisionError('planted')\n"
        "m.measured = fail\n"
        "from segue.cli import main\n"
        "sys.exit(main(['gate', 'old.csv', 'new.csv', '--id', 'id', '--max-nfr', '0.1']))"
    )
    result = subprocess.run([SEGUE.with_name("python"), "-c", broken], cwd=tmp_path, capture_output=True, text=True)
    assert result.returncode == 70
    assert "ZeroDivisionError: planted" in result.stderr
    assert result.stderr.endswith("This is a bug in Segue: please report it with the lines above.\n")


# --- help ------------------------------------------------------------------------------------------------------------

COMMANDS = (
    ("compare",), ("gate",), ("power",), ("cross-test",), ("retrieval-flips",),
    ("policy", "check"), ("policy", "example"), ("policy", "schema"),
)  # fmt: skip


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_shows_examples_that_it_understands(command):
    result = installed(*command, "--help", env={"COLUMNS": "200"})
    assert result.returncode == 0
    examples = re.findall(rf"^\s*(segue {' '.join(command)}\b.*?)\s*$", result.stdout, flags=re.MULTILINE)
    assert examples
    for example in examples:
        words = example.split(">")[0].split()[1:]
        told = segue(*words, cwd="/")
        assert "No such option" not in told.stderr
        assert "Traceback" not in told.stderr
        assert told.returncode in {0, 2}  # 2: the example's files are not here


def test_version_and_overview():
    assert segue("--version").stdout == f"segue {__version__}\n"
    overview = segue("--help").stdout
    assert all(command[0] in overview for command in COMMANDS)
    assert "Exit codes: 0 pass, 1 fail, 2 usage or bad input, 3 undecided" in overview


def test_help_loads_neither_numbers_nor_databases():
    code = (
        "import sys; from segue.cli import main; main(['compare', '--help']);"
        "print(sorted({'numpy', 'scipy', 'duckdb', 'jinja2', 'torch', 'pandas'} & set(sys.modules)))"
    )
    result = subprocess.run([SEGUE.with_name("python"), "-c", code], capture_output=True, text=True, check=True)
    assert result.stdout.splitlines()[-1] == "[]"


def test_compare_and_gate_load_no_torch(tmp_path):
    write_pair(tmp_path, 400)
    code = (
        "import sys; from segue.cli import main;"
        "code = main(['gate', 'old.csv', 'new.csv', '--id', 'id', '--max-nfr', '0.1', '--report', 'r.html']);"
        "print(code, sorted({'torch', 'sklearn', 'pandas', 'polars', 'transformers', 'mlflow'} & set(sys.modules)))"
    )
    result = subprocess.run(
        [SEGUE.with_name("python"), "-c", code], capture_output=True, text=True, check=True, cwd=tmp_path
    )
    assert result.stdout.splitlines()[-1] == "0 []"


def test_the_example_policy_passes_its_own_check(tmp_path):
    (tmp_path / "policy.toml").write_text(segue("policy", "example").stdout)
    result = segue("policy", "check", "policy.toml", cwd=tmp_path)
    assert result.returncode == 0
    assert "negative flip rate in country = DE: at most 2.00% (the whole interval)" in result.stdout
    assert "2 protected samples may never flip" in result.stdout
    tomllib.loads((tmp_path / "policy.toml").read_text())


def test_junit_may_go_to_standard_output(tmp_path):
    write_pair(tmp_path, 1000)
    result = segue("gate", *JOINED, "--max-nfr", "0.1", "--junit", "-", cwd=tmp_path)
    assert ElementTree.fromstring(result.stdout).tag == "testsuites"


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        (("--budget", "0.01", "--nfr", "0.004"), "samples if it truly breaks 0.4%"),
        (("--samples", "5000"), "5,000 samples show a negative flip rate to be above 0 when it is 0.03218% or more"),
        (("--samples", "5000", "--budget", "0.01"), "to be beyond the budget of 1% when it is"),
    ],
)
def test_power_says_it_in_words(typed, said):
    result = segue("power", *typed)
    assert result.returncode == 0
    assert said in result.stdout
