"""The gate's outputs in the parsers of those who read them: CommonMark with tables, JUnit, JSON, a terminal."""

import io
import json
import re
import subprocess
import sys
from xml.etree import ElementTree

import junitparser
import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from rich.console import Console

from segue.cli.outputs.junit import junit_xml
from segue.cli.outputs.machine import decision_json, report_json, to_json
from segue.cli.outputs.markdown import MARKER, code, escaped, markdown
from segue.cli.outputs.text import show_decision, show_report
from segue.cli.outputs.visible import visible
from segue.flips import Policy, compare, compare_scores, decide
from tests.cli.conftest import HOSTILE, hostile_report

PARSER = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"])


def cells_of(text):
    """The tables of a Markdown text as rows of rendered cell texts, by the parser of others."""
    tables, row = [], None
    for token in PARSER.parse(text):
        if token.type == "table_open":
            tables.append([])
        elif token.type == "tr_open":
            row = []
            tables[-1].append(row)
        elif token.type == "tr_close":
            row = None
        elif token.type == "inline" and row is not None:
            cell = "".join(child.content for child in token.children if child.type in {"text", "code_inline"})
            row.append(cell)
    return tables


# --- Markdown --------------------------------------------------------------------------------------------------------


def test_the_comment_is_found_again_and_says_the_verdict_first(hostile):
    report, decision = hostile
    lines = markdown(decision, report).splitlines()
    assert lines[0] == MARKER
    assert lines[2] == "### ❌ Segue gate: FAIL"
    assert "must not replace" in lines[4]


def test_the_comments_tables_hold_in_spite_of_names(hostile):
    report, decision = hostile
    checks, slices = cells_of(markdown(decision, report))
    assert checks[0] == ["", "Check", "Measured", "Limit", "Why"]
    assert {len(row) for row in checks} == {5}
    assert len(checks) == 1 + len(decision.checks)
    assert [row[0].split()[1] for row in checks[1:]] == [str(check.verdict) for check in decision.ordered()]
    assert {len(row) for row in slices} == {5}
    assert len(slices) == 11
    shown = " ".join(row[1] for row in checks)
    for name in HOSTILE:
        assert visible(f"na|me = {name}") in shown, name


def test_names_in_the_comment_bring_nothing_to_life(hostile):
    report, decision = hostile
    text = markdown(decision, report)
    allowed = re.compile(r"</?(code|details|summary|sub)>|<!-- segue-gate -->")
    found = []
    for token in PARSER.parse(text):
        found += [token] if token.type == "html_block" else []
        found += [child for child in token.children or [] if child.type not in {"text", "softbreak"}]
    for token in found:
        assert token.type in {"html_inline", "html_block"}, (token.type, token.content)  # no link, code, emphasis
        for tag in re.findall(r"<[^>]*>", token.content):
            assert allowed.fullmatch(tag), tag
    assert text.count(MARKER) == 1
    assert "@" not in text  # not even inside code: nobody is notified
    assert "http:" not in text


def test_the_comment_has_what_a_reviewer_asks_for(hostile):
    report, decision = hostile
    text = markdown(decision, report)
    assert "on 1,080 samples" in text
    assert f"{report.negative_flips} broken" in text
    (protected,) = (check for check in decision.checks if check.rule == "golden")
    assert len(protected.ids) > 20
    assert text.count("Protected samples: ") == 1
    assert f"and {len(protected.ids) - 20} more." in text
    assert "Worst slices (10 of 18)" in text
    assert "95% confidence" in text


@pytest.mark.parametrize("length", [10, 3000])
def test_the_comment_fits_into_githubs_limit(length):
    names = [f"{number:04d}" + "|" * length for number in range(150)]
    report = hostile_report(per_name=8, names=names, broken=2)
    decision = decide(report, Policy(every_slice={"max_nfr": 0.01}))
    text = markdown(decision, report)
    assert len(text) <= 65_536
    left = len(decision.checks) - (len(cells_of(text)[0]) - 1)
    assert left > 0
    assert f"And {left:,} more checks: " in text


def test_the_comment_on_graded_scores():
    report = compare_scores([0.5] * 400, [0.6] * 400, names=("v1", "v2"))
    decision = decide(report, Policy(min_score_change=0.0))
    text = markdown(decision, report)
    assert "✅ Segue gate: PASS" in text
    assert "mean score 0.1" in text
    assert len(cells_of(text)) == 1


@given(st.text(max_size=40))
def test_any_name_is_one_cell_that_reads_as_the_name(name):
    (table,) = cells_of(f"| a | b |\n| --- | --- |\n| {code(name)} | x |")
    assert [cell.strip() for cell in table[1]] == [visible(name, 80).strip(), "x"]


@given(st.text(max_size=40))
def test_any_sentence_is_one_cell_that_reads_as_the_sentence(words):
    (table,) = cells_of(f"| a | b |\n| --- | --- |\n| x {escaped(words)} x | x |")
    assert table[1][0].replace("@\u2060", "@") == f"x {visible(words, 400)} x"
    assert table[1][1] == "x"


# --- JUnit -----------------------------------------------------------------------------------------------------------


def test_the_junit_file_opens_in_junitparser(hostile, tmp_path):
    _, decision = hostile
    path = tmp_path / "gate.xml"
    path.write_text(junit_xml(decision), encoding="utf-8")
    (suite,) = junitparser.JUnitXml.fromfile(str(path))
    counts = {verdict: sum(check.verdict == verdict for check in decision.checks) for verdict in ("fail", "undecided")}
    assert (suite.tests, suite.failures, suite.errors, suite.skipped) == (
        len(decision.checks), counts["fail"], counts["undecided"], 1,
    )  # fmt: skip
    kinds = {"fail": junitparser.Failure, "undecided": junitparser.Error, "exempt": junitparser.Skipped}
    for case, check in zip(suite, decision.checks, strict=True):
        assert case.name == visible(check.title, 250)
        assert [type(result) for result in case.result] == ([kinds[check.verdict]] if check.verdict in kinds else [])
        if case.result:
            assert case.result[0].message == visible(check.reason, 1000)
    assert {item.name: item.value for item in suite.properties()}["verdict"] == "fail"


def test_the_junit_file_has_the_shape_that_jenkins_and_gitlab_read(hostile):
    """The shape of the JUnit schema that Jenkins' plugin publishes: elements, their attributes and their order."""
    _, decision = hostile
    root = ElementTree.fromstring(junit_xml(decision))
    assert root.tag == "testsuites"
    assert set(root.attrib) == {"name", "tests", "failures", "errors", "skipped", "time"} - {"skipped"} | {"skipped"}
    for suite in root:
        assert suite.tag == "testsuite"
        assert set(suite.attrib) == {"name", "tests", "failures", "errors", "skipped", "time"}
        order = [child.tag for child in suite]
        assert order == ["properties"] + ["testcase"] * len(decision.checks) + ["system-out"]
        for case in suite.iter("testcase"):
            assert set(case.attrib) == {"classname", "name", "time"}
            assert re.fullmatch(r"segue\.gate\.\w+", case.get("classname"))
            assert [child.tag for child in case] in (["failure"], ["error"], ["skipped"], ["system-out"])
            for child in case:
                assert set(child.attrib) <= {"type", "message"}


def test_a_verdict_that_is_not_pass_is_never_green(hostile):
    _, decision = hostile
    suite = ElementTree.fromstring(junit_xml(decision))[0]
    assert int(suite.get("failures")) + int(suite.get("errors")) > 0
    undecided = decide(compare([1] * 9, [1] * 9, [1] * 9), Policy(max_nfr=0.1))
    suite = ElementTree.fromstring(junit_xml(undecided))[0]
    assert (suite.get("failures"), suite.get("errors"), suite.get("skipped")) == ("0", "1", "0")


# --- JSON ------------------------------------------------------------------------------------------------------------


def test_json_holds_the_decision_and_the_report(hostile):
    report, decision = hostile
    told = json.loads(decision_json(decision, report))
    assert (told["verdict"], told["exit_code"]) == ("fail", 1)
    assert told["report"] == json.loads(report_json(report))
    assert told["report"]["samples"] == 1080
    with pytest.raises(ValueError, match="not JSON compliant"):
        to_json({"x": float("nan")})


# --- text ------------------------------------------------------------------------------------------------------------


def shown(show, *values, terminal=False):
    stream = io.StringIO()
    show(Console(file=stream, highlight=False, markup=False, emoji=False, width=200, force_terminal=terminal), *values)
    return stream.getvalue()


def test_the_terminal_shows_names_as_they_are_and_obeys_none_of_them(hostile):
    report, decision = hostile
    for text in (shown(show_decision, decision), shown(show_report, report)):
        assert "\x1b" not in text
        assert "\u202e" not in text
        assert "\x00" not in text
        assert "\\x1b[31mred" in text
        assert "[link](http://x.example)" in text  # rich's markup would swallow it


def test_the_decision_is_told_worst_first(hostile):
    _, decision = hostile
    lines = shown(show_decision, decision).splitlines()
    assert lines[0].startswith("FAIL: new <b> must not replace old @team: 3 of 23 checks failed and ")
    verdicts = [line.split()[0] for line in lines[1:] if line.startswith("  ")]
    assert verdicts == sorted(verdicts, key=["fail", "undecided", "exempt", "pass"].index)


def test_a_long_list_of_passes_is_cut_short():
    report = hostile_report(names=[f"n{number}" for number in range(40)], broken=50)
    text = shown(show_decision, decide(report, Policy(every_slice={"max_nfr": 0.9})))
    assert "and 20 more checks that pass" in text


def test_the_report_shows_every_rate_and_the_worst_slices(hostile):
    report, _ = hostile
    text = shown(show_report, report)
    for rate in report.rates:
        assert rate.replace("_", " ") in text
    assert "3 more slices" in text
    graded = shown(show_report, compare_scores([1.0, 3.0, 5.0], [2.0, 3.5, 1.0]))
    assert "mean regression" in graded
    assert "400.00%" not in graded  # scores are no rates


def test_colours_show_in_a_terminal_only(hostile):
    _, decision = hostile
    assert "\x1b[1;31mFAIL" in shown(show_decision, decision, terminal=True)


@given(st.text(max_size=300))
def test_visible_text_is_one_printable_line(text):
    told = visible(text, 100)
    assert len(told) <= 100
    assert told.isprintable()
    assert visible(told, 100) == told


def test_outputs_need_no_torch_and_no_duckdb():
    code = (
        "import sys; import segue.cli.outputs.junit, segue.cli.outputs.markdown, segue.cli.outputs.text;"
        "print([name for name in ('torch', 'duckdb', 'pandas', 'jinja2') if name in sys.modules])"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[]\n"
