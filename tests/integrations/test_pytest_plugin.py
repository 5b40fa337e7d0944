"""The pytest plugin in real pytest runs."""

from xml.etree import ElementTree

import numpy as np
import pytest

from segue.errors import InputError
from segue.flips import Policy
from segue.integrations.pytest_plugin import UndecidedWarning, assert_no_regression
from tests.integrations.pages import run_section

pytest_plugins = ["pytester"]

RIGHT = [1] * 1000
BROKEN = [0] * 50 + [1] * 950  # 5% negative flips
FEW = [1] * 20

SUITE = """
    import pytest
    from segue.flips import Policy
    from segue.integrations.pytest_plugin import assert_no_regression

    RIGHT, BROKEN, FEW = [1] * 1000, [0] * 50 + [1] * 950, [1] * 20

    def test_passes():
        assert assert_no_regression(RIGHT, RIGHT, RIGHT, max_nfr=0.01).passed

    def test_fails():
        assert_no_regression(RIGHT, RIGHT, BROKEN, max_nfr=0.01)

    def test_undecided_fails():
        assert_no_regression(FEW, FEW, FEW, max_nfr=0.01)

    def test_undecided_is_skipped():
        assert_no_regression(FEW, FEW, FEW, max_nfr=0.01, undecided="skip")

    def test_undecided_is_warned_of():
        assert_no_regression(FEW, FEW, FEW, max_nfr=0.01, undecided="warn")

    def test_a_fail_is_never_skipped():
        assert_no_regression(RIGHT, RIGHT, BROKEN, max_nfr=0.01, undecided="skip")

    def test_bad_input():
        assert_no_regression(RIGHT, RIGHT, FEW, max_nfr=0.01)
"""


@pytest.fixture
def suite(pytester, monkeypatch):
    """Run a test file in a pytest process of its own, in which of all installed plugins only Segue's is loaded."""
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")

    def run(text, *arguments):
        pytester.makepyfile(text)
        return pytester.runpytest_subprocess("-p", "segue", *arguments)

    return run


def test_a_test_suite_passes_fails_skips_and_warns(suite):
    result = suite(SUITE, "-rs")
    result.assert_outcomes(passed=2, failed=4, skipped=1, warnings=1)
    result.stdout.fnmatch_lines([
        "*FAIL: new must not replace old: 1 of 1 check failed.",
        "*FAIL negative flip rate: 5.00% [[]3.73%, 6.54%[]] lies wholly beyond the limit of 1.00%.",
    ])  # fmt: skip
    result.stdout.fnmatch_lines(["*UndecidedWarning: UNDECIDED: the data do not suffice*"])
    result.stdout.fnmatch_lines(["SKIPPED * undecided, not passed: the data do not suffice to decide*"])
    result.stdout.fnmatch_lines(["*InputError: the arrays differ in length: labels has 1,000*"])


def test_the_traceback_ends_in_the_test_and_not_in_the_plugin(suite):
    result = suite(SUITE, "-k", "test_fails")
    result.stdout.no_fnmatch_line("*pytest_plugin.py*")
    result.stdout.fnmatch_lines([">*assert_no_regression(RIGHT, RIGHT, BROKEN, max_nfr=0.01)"])


def test_the_fixture_needs_no_import_and_writes_into_the_junit_file(suite, pytester):
    text = """
        def test_update(assert_no_regression):
            assert_no_regression([1] * 1000, [1] * 1000, [0] * 50 + [1] * 950, max_nfr=0.01)

        def test_other_limits(assert_no_regression):
            labels = [1] * 1000
            limits = {"max_nfr": 0.01, "min_accuracy_change": -0.1}
            decision = assert_no_regression(labels, labels, labels, **limits, ids=range(1000))
            assert len(decision.checks) == 2

        def test_undecided(assert_no_regression):
            assert_no_regression([1] * 9, [1] * 9, [1] * 9, max_nfr=0.01, undecided="skip")
    """
    suite(text, "--junit-xml=out.xml").assert_outcomes(failed=1, passed=1, skipped=1)
    cases = ElementTree.parse(pytester.path / "out.xml").getroot().iter("testcase")
    told = {case.get("name"): {p.get("name"): p.get("value") for p in case.iter("property")} for case in cases}
    assert told["test_update"]["segue.verdict"] == "fail"
    assert told["test_update"]["segue.negative flip rate"].startswith("fail: 5.00% [3.73%, 6.54%] lies wholly beyond")
    assert told["test_other_limits"]["segue.verdict"] == "pass"
    assert told["test_undecided"]["segue.verdict"] == "undecided"


def test_the_plugin_costs_a_pytest_run_next_to_nothing(suite):
    text = """
        import sys

        def test_modules():
            heavy = {"numpy", "scipy", "pydantic", "duckdb", "torch", "segue.flips"} & set(sys.modules)
            assert not heavy, heavy
    """
    suite(text).assert_outcomes(passed=1)


def test_every_pytest_run_finds_the_plugin(pytestconfig):
    assert pytestconfig.pluginmanager.get_plugin("segue").__name__ == "segue.integrations.pytest_plugin"


def test_the_function_works_outside_of_a_test():
    assert assert_no_regression(RIGHT, RIGHT, RIGHT, max_nfr=0.01).verdict == "pass"
    with pytest.raises(AssertionError, match=r"^FAIL: new must not replace old"):
        assert_no_regression(RIGHT, RIGHT, BROKEN, max_nfr=0.01)
    with pytest.raises(AssertionError, match=r"^UNDECIDED: the data do not suffice"):
        assert_no_regression(FEW, FEW, FEW, max_nfr=0.01)
    with pytest.warns(UndecidedWarning, match=r"^UNDECIDED"):
        assert_no_regression(FEW, FEW, FEW, max_nfr=0.01, undecided="warn")


def test_a_policy_holds_and_arguments_take_the_place_of_its_limits(tmp_path):
    path = tmp_path / "policy.toml"
    path.write_text("max_nfr = 0.01\nconfidence = 0.99\n[golden]\nids = ['999']\n")
    decision = assert_no_regression(RIGHT, RIGHT, RIGHT, policy=path)
    assert [check.rule for check in decision.checks] == ["max_nfr", "golden"]
    assert decision.confidence == 0.99
    with pytest.raises(AssertionError):
        assert_no_regression(RIGHT, RIGHT, BROKEN, policy=path)
    assert assert_no_regression(RIGHT, RIGHT, BROKEN, policy=str(path), max_nfr=0.1).passed
    with pytest.raises(AssertionError, match="1 of 1 flipped from right to wrong: s7"):
        assert_no_regression(
            RIGHT, RIGHT, BROKEN, policy=Policy(golden={"ids": ["s7"]}), ids=[f"s{n}" for n in range(1000)]
        )


def test_slices_weights_and_the_rest_are_passed_on():
    policy = Policy(every_slice={"max_nfr": 0.2})
    decision = assert_no_regression(
        RIGHT, RIGHT, BROKEN, policy=policy, slices={"half": np.arange(1000) % 2}, names=("a", "b"), on="point"
    )
    assert [check.where for check in decision.checks] == ["half = 0", "half = 1"]
    assert {check.on for check in decision.checks} == {"point"}
    assert decision.names == ("a", "b")


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({}, "assert_no_regression() needs a limit; pass max_nfr=0.01, for instance, or policy=..."),
        ({"on": "point"}, "assert_no_regression() needs a limit; pass max_nfr=0.01, for instance, or policy=..."),
        ({"max_nfr": 0.1, "undecided": "pass"}, "undecided is 'pass'; pass 'fail', 'skip' or 'warn'"),
        ({"max_nfr": 7}, "the policy is wrong: max_nfr is 7 but must be at least 0 and below 1 (write 1% as 0.01)"),
    ],
)
def test_mistakes_are_told_in_one_sentence(options, said):
    with pytest.raises(InputError) as told:
        assert_no_regression(RIGHT, RIGHT, RIGHT, **options)
    assert str(told.value) == said


def test_an_unknown_argument_is_told_what_there_is():
    with pytest.raises(InputError, match=r"no argument 'max_churn'; limits other than .* go into policy=Policy"):
        assert_no_regression(RIGHT, RIGHT, RIGHT, max_churn=0.1)


def test_the_example_of_the_docs():
    run_section("pytest")
