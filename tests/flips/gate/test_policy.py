"""Policies: what they take, what they refuse and in which words, and the schema that is published of them."""

import json
import tomllib
from pathlib import Path

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st

from segue.cli.policy import EXAMPLE, schema_text
from segue.errors import InputError
from segue.flips import Policy
from segue.flips.gate.limits import KINDS

SCHEMA = Path(__file__).parents[3] / "docs" / "policy.schema.json"

# What is in the file, and what is said of it after the file's name.
WRONG = {
    "unknown key": ("max_nfrr = 0.01", "unknown key 'max_nfrr'; did you mean 'max_nfr'?"),
    "unknown key, nothing near": (
        "[golden]\nzzz = 1",
        "unknown key 'zzz' in [golden]; known keys are file, ids",
    ),
    "key below a table": (
        "[golden]\nids = ['a']\nmax_nfr = 0.01",
        "unknown key 'max_nfr' in [golden]; it belongs at the top of the file, above the first [table]",
    ),
    "overall key in a slice": (
        "[[slices]]\ncolumn = 'a'\nmax_churn = 0.1",
        "unknown key 'max_churn' in [[slices]] number 1; it holds for all samples only, so it belongs at the top of "
        "the file, above the first [table]",
    ),
    "no number": ("max_nfr = 'abc'", "max_nfr is 'abc' but must be a number"),
    "truth value": ("max_nfr = true", "max_nfr is True but must be a number"),
    "percent": ("max_nfr = 1.5", "max_nfr is 1.5 but must be at least 0 and below 1 (write 1% as 0.01)"),
    "negative": ("max_churn = -0.1", "max_churn is -0.1 but must be at least 0 and below 1 (write 1% as 0.01)"),
    "change in per cent": (
        "min_accuracy_change = -2.0",
        "min_accuracy_change is -2 but must be at least -1 and below 1 (write 1% as -0.01)",
    ),
    "negative ratio": ("max_relative_nfr = -1", "max_relative_nfr is -1 but must be 0 or more"),
    "not a number": ("max_nfr = nan", "max_nfr is nan but must be a finite number"),
    "zero with confidence": (
        "max_nfr = 0",
        "max_nfr is 0, which no number of samples can show with confidence; allow a little, set on = 'point', or "
        "protect samples by name in [golden]",
    ),
    "zero in a slice": (
        "[[slices]]\ncolumn = 'a'\nmax_nfr = 0.0",
        "max_nfr is 0 in [[slices]] number 1, which no number of samples can show with confidence; allow a little, "
        "set on = 'point', or protect samples by name in [golden]",
    ),
    "basis": ("max_nfr = 0.1\non = 'pont'", "on is 'pont' but must be 'confidence' or 'point'"),
    "basis of a limit": (
        "max_nfr = { limit = 0.1, on = 'x' }",
        "on in max_nfr is 'x' but must be 'confidence' or 'point'",
    ),
    "long form without limit": ("max_nfr = { on = 'point' }", "'limit' is missing in max_nfr"),
    "long form with another key": (
        "max_nfr = { limit = 0.1, onn = 'point' }",
        "unknown key 'onn' in max_nfr; did you mean 'on'?",
    ),
    "limits nothing": ("", "it limits nothing, so everything would pass; set max_nfr = 0.01, for instance"),
    "only a sample size": (
        "minimum_samples = 100",
        "it limits nothing, so everything would pass; set max_nfr = 0.01, for instance",
    ),
    "confidence": ("max_nfr = 0.1\nconfidence = 95.0", "confidence is 95.0 but must be below 1"),
    "sample size of zero": ("max_nfr = 0.1\nminimum_samples = 0", "minimum_samples is 0 but must be at least 1"),
    "fractional sample size": (
        "max_nfr = 0.1\nminimum_samples = 1.5",
        "minimum_samples is 1.5 but must be a whole number",
    ),
    "slice without column": ("[[slices]]\nmax_nfr = 0.1", "'column' is missing in [[slices]] number 1"),
    "slice with an empty column": (
        "[[slices]]\ncolumn = ''\nmax_nfr = 0.1",
        "column in [[slices]] number 1 is '' but must not be empty",
    ),
    "slice without limit": (
        "max_nfr = 0.1\n[[slices]]\ncolumn = 'a'",
        "[[slices]] number 1 sets no limit; set max_nfr, or exempt = true",
    ),
    "slice twice": (
        "[[slices]]\ncolumn = 'a'\nmax_nfr = 0.1\n[[slices]]\ncolumn = 'a'\nmin_accuracy = 0.1",
        "[[slices]] number 2 names the same slices as an earlier one; join the two",
    ),
    "slices as one table": (
        "[slices]\ncolumn = 'a'\nmax_nfr = 0.1",
        "slices is {'column': 'a', 'max_nfr': 0.1} but must be a list; write [[slices]] with two brackets",
    ),
    "ignore smaller than what": (
        "[every_slice]\nmax_nfr = 0.1\nignore_smaller = true",
        "every_slice sets ignore_smaller but no minimum_samples; set both",
    ),
    "ignore smaller in a slice": (
        "[[slices]]\ncolumn = 'a'\nmax_nfr = 0.1\nignore_smaller = true",
        "[[slices]] number 1 sets ignore_smaller but no minimum_samples; set both",
    ),
    "golden set without samples": ("[golden]", "golden protects no sample; name some in ids, or a file"),
    "golden id of no kind": (
        "[golden]\nids = ['a', 1.5]",
        "ids number 2 in [golden] is 1.5 but must be a text in quotes",
    ),
    "two mistakes": ("max_nfr = 'a'\nmax_churn = 'b'", "max_nfr is 'a' but must be a number (and 1 more mistake)"),
    "three mistakes": (
        "max_nfr = 'a'\nmax_churn = 'b'\nx = 1",
        "max_nfr is 'a' but must be a number (and 2 more mistakes)",
    ),
}


@pytest.mark.parametrize("name", WRONG)
def test_mistakes_are_told_in_one_sentence_that_names_file_and_key(name, tmp_path):
    text, said = WRONG[name]
    path = tmp_path / "policy.toml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(InputError) as told:
        Policy.read(path)
    assert str(told.value) == f"{path}: {said}"


@pytest.mark.parametrize("name", WRONG)
def test_the_same_mistakes_are_told_in_python(name):
    text, said = WRONG[name]
    with pytest.raises(InputError) as told:
        Policy(**tomllib.loads(text))
    assert str(told.value) == f"the policy is wrong: {said}"


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"max_nfr 0.01\n", "{path}, line 1: no valid TOML (expected '=' after a key in a key/value pair): "
                            "max_nfr 0.01"),
        (b"# fine\nmax_nfr = 1%\n", "{path}, line 2: no valid TOML (expected newline or end of document after a "
                                    "statement): max_nfr = 1%"),
        (b"max_nfr = 0.1\nmax_nfr = 0.2", "{path} is no valid TOML: cannot overwrite a value at its end"),
        (b"max_nfr = 0.1 # \xe9t\xe9\n", "policy: {path} is not UTF-8 text (byte 16 is 0xe9); save it as UTF-8"),
    ],
)  # fmt: skip
def test_what_is_no_toml_is_told_with_its_line(content, said, tmp_path):
    path = tmp_path / "policy.toml"
    path.write_bytes(content)
    with pytest.raises(InputError) as told:
        Policy.read(path)
    assert str(told.value) == said.format(path=path)


def test_files_that_cannot_be_read_are_named(tmp_path):
    with pytest.raises(InputError, match=r"^policy: there is no file .*none.toml; check the path$"):
        Policy.read(tmp_path / "none.toml")
    with pytest.raises(InputError, match=r"^policy: .* is a directory, not a file$"):
        Policy.read(tmp_path)
    (tmp_path / "policy.toml").write_text("[golden]\nfile = 'golden.txt'")
    policy = Policy.read(tmp_path / "policy.toml")
    with pytest.raises(InputError, match=r"^golden: there is no file .*golden.txt; check the path$"):
        policy.protected_ids()
    (tmp_path / "golden.txt").write_text("# none yet\n\n")
    with pytest.raises(InputError, match=r"^golden: .*golden.txt names no sample; write one id per line$"):
        policy.protected_ids()


def test_a_byte_order_mark_does_no_harm(tmp_path):
    (tmp_path / "policy.toml").write_bytes(b"\xef\xbb\xbfmax_nfr = 0.25")
    assert Policy.read(tmp_path / "policy.toml").max_nfr.limit == 0.25


def test_keys_can_be_replaced_and_all_others_stay(tmp_path):
    (tmp_path / "golden.txt").write_text("a")
    (tmp_path / "policy.toml").write_text(EXAMPLE.replace("# file", "file"))
    policy = Policy.read(tmp_path / "policy.toml")
    changed = policy.replaced(max_nfr=0.5, min_accuracy=None, on="point")
    assert (changed.max_nfr.limit, changed.min_accuracy, changed.on) == (0.5, None, "point")
    assert changed.slices == policy.slices
    assert changed.every_slice == policy.every_slice
    assert changed.max_relative_nfr == policy.max_relative_nfr
    assert changed.protected_ids() == ("order-17", "order-23", "a")
    assert policy.replaced(max_nfr=None) is policy
    with pytest.raises(InputError, match="max_nfr is 7 but must be"):
        policy.replaced(max_nfr=7)


def test_a_policy_cannot_be_changed():
    policy = Policy(max_nfr=0.1)
    with pytest.raises(ValueError, match="frozen"):
        policy.max_nfr = None


def test_the_example_is_a_policy_that_shows_every_table():
    policy = Policy(**tomllib.loads(EXAMPLE))
    assert policy.every_slice is not None
    assert policy.golden is not None
    assert {budget.value for budget in policy.slices} == {None, "DE"}
    told = "\n".join(policy.told())
    assert "negative flip rate: at most 1.00% (the whole interval)" in told
    assert "relative negative flip rate: at most 0.5 (point estimate)" in told
    assert "negative flip rate in country = DE: at most 2.00% (the whole interval)" in told


def test_every_key_that_can_be_limited_is_a_key_of_the_policy():
    assert set(KINDS) <= set(Policy.model_fields)


def test_the_published_schema_is_up_to_date():
    assert SCHEMA.read_text(encoding="utf-8") == schema_text(), (
        "docs/policy.schema.json is out of date; run: segue policy schema > docs/policy.schema.json"
    )


def test_the_schema_is_valid_and_takes_the_example():
    schema = json.loads(schema_text())
    jsonschema.Draft202012Validator.check_schema(schema)
    jsonschema.validate(tomllib.loads(EXAMPLE), schema)


limits = st.one_of(
    st.floats(-2, 2),
    st.fixed_dictionaries({"limit": st.floats(0, 1)}, optional={"on": st.sampled_from(["point", "confidence", "x"])}),
    st.sampled_from(["abc", True, [], {}]),
)
budgets = st.fixed_dictionaries(
    {},
    optional={
        "column": st.sampled_from(["a", "b", ""]),
        "value": st.one_of(st.text(max_size=2), st.integers(0, 3), st.booleans()),
        "max_nfr": limits,
        "exempt": st.booleans(),
        "minimum_samples": st.integers(0, 3),
        "odd": st.none(),
    },
)
policies = st.fixed_dictionaries(
    {},
    optional={
        **dict.fromkeys(KINDS, limits),
        "on": st.sampled_from(["point", "confidence", "x"]),
        "slices": st.lists(budgets, max_size=2),
        "every_slice": budgets,
        "golden": st.fixed_dictionaries(
            {}, optional={"ids": st.lists(st.one_of(st.text(), st.integers())), "x": budgets}
        ),
        "confidence": st.floats(-1, 2),
    },
)


@given(policies)
def test_any_input_is_a_policy_that_the_schema_takes_too_or_an_input_error(keys):
    try:
        policy = Policy(**keys)
    except InputError:
        return
    jsonschema.validate(keys, json.loads(schema_text()))
    assert Policy(**policy.model_dump(exclude_defaults=True)) == policy
    assert policy.told() or policy.golden is not None
