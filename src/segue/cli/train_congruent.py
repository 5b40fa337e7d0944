"""A classifier that keeps what the old one got right: what ``segue train`` does for an update of that kind."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from segue.cli.theirs import told_as_theirs
from segue.cli.train_folder import look_back, say
from segue.cli.update_file import OfTest, UpdateFile
from segue.errors import InputError

if TYPE_CHECKING:
    from segue.cli.train_options import TrainOptions
    from segue.congruent.recipes import Outcome, Rule

FILES = "model.safetensors", "outcome.json", "explanation.md", "history.json", "front.html", "flips.html"
OF_TEST = OfTest(("old_test", "ids", "slices"), "logits", "(n, old classes)")


@dataclass(frozen=True)
class Congruent:
    """What is asked of a congruent training.

    Attributes:
        methods: What is tried.
        rule: How the pick is made.
        seconds: Training time that ``auto`` may take.
        trainings: The same in plain trainings.
    """

    methods: list[str]
    rule: Rule
    seconds: float | None
    trainings: float | None

    files: ClassVar = FILES
    of_test: ClassVar = OF_TEST

    @classmethod
    def asked(cls, options: TrainOptions) -> Congruent:
        """Read what was typed.

        Args:
            options: What was typed.

        Returns:
            What is asked.

        Raises:
            InputError: If options are wrong, do not go together, or belong to the other kind of training.
        """
        from segue.cli.durations import seconds_of
        from segue.compatible.recipes import METHODS as OTHERS
        from segue.congruent.recipes import METHODS

        if options.measure is not None:
            raise InputError(
                "--measure is for compatible training (segue.compatible.recipes), and this update is a congruent one; "
                "leave it out"
            )
        options.refuse_methods(METHODS, "congruent", OTHERS)
        rule = _rule(options.margin, options.max_nfr, 1 if options.passes is None else options.passes)
        seconds = None if options.budget is None else seconds_of(options.budget, "--budget")
        _check_budget(options.methods, {"--budget": seconds, "--trainings": options.trainings})
        return cls(options.methods, rule, seconds, options.trainings)

    def begin(self, file: UpdateFile, folder: Path, out: str) -> None:
        """Claim the folder, and say what will be done.

        Args:
            file: The user's file.
            folder: The folder.
            out: The folder as it was typed.

        Raises:
            InputError: If the folder holds the runs of another update.
        """
        from segue.cli.durations import told_seconds
        from segue.congruent.recipes import Workshop

        with told_as_theirs(file.path, "the update"):
            try:
                Workshop(file.update, folder, progress=False)  # type: ignore[arg-type]
            except InputError as error:
                raise InputError(
                    f"--out: {error}" if "holds the runs of another update" in str(error) else error
                ) from error
        limit = [
            *([f"{told_seconds(self.seconds)} of training"] if self.seconds is not None else []),
            *([f"{self.trainings:g} plain trainings"] if self.trainings is not None else []),
        ]
        budget = f", within {' and '.join(limit)}" if limit else ""
        say(f"Training with {', '.join(self.methods)}{budget}; runs are kept in {out}, and Ctrl-C loses nothing.")
        look_back(file, folder, out)

    def train(self, file: UpdateFile, folder: Path, with_test: bool, command: str) -> tuple[dict[str, Any], str]:
        """Train, pick, measure, and write everything into the folder.

        Args:
            file: The user's file.
            folder: The folder.
            with_test: Whether the pick is measured on test samples.
            command: What was typed, for the pages.

        Returns:
            What came of it: plain values, and words.
        """
        from segue.congruent.recipes import StoredLogits, measure, train
        from segue.congruent.recipes.training import measured_on
        from segue.training.data import as_data

        update: Any = file.update
        outcome = train(
            update,
            self.methods,
            rule=self.rule,
            seconds=self.seconds,
            trainings=self.trainings,
            folder=folder,
            after_step=say,
        )
        outcome.save(folder)  # before test samples are asked for: what can go wrong there costs no training
        _save_history(outcome, folder)
        if with_test:
            samples, known = file.test(OF_TEST.names)
            with told_as_theirs(file.path, "measuring the test samples"):
                outcome = measure(outcome, update, samples, **known)
            outcome.save(folder)
            _write_pages(outcome, outcome.test, "test samples", folder, command)
        else:
            old = update.old.validation if isinstance(update.old, StoredLogits) else None
            chosen = measured_on(outcome, update, as_data(update.validation), old)
            _write_pages(outcome, chosen.test, "the validation samples it was chosen on", folder, command)
        return outcome.to_dict(), outcome.explain()

    def more(self, outcome: dict[str, Any], folder: Path) -> str:
        """Return what a reader must know beside the explanation.

        Args:
            outcome: What came of it.
            folder: The folder.

        Returns:
            A sentence, or nothing.
        """
        if (folder / "model.safetensors").exists():
            return ""
        pick = outcome["pick"]
        runs = ", ".join(pick["runs"])
        return f"The pick is {pick['passes']} models; the trained ones are in {folder / 'runs'}: {runs}"


def _write_pages(outcome: Outcome, report: Any, samples: str, folder: Path, command: str) -> None:
    from segue.report import write_report
    from segue.report.front import write_front

    write_front(outcome.to_dict(), folder / "front.html", command=command)
    write_report(report, folder / "flips.html", title=f"{outcome.pick.label}, on {samples}", command=command)


def _save_history(outcome: Outcome, folder: Path) -> None:
    import json

    from segue.cli.outputs.machine import to_json

    runs = {key: folder / "runs" / key / "history.json" for key in outcome.pick.runs}
    told = {key: json.loads(path.read_text(encoding="utf-8")) for key, path in runs.items()}
    (folder / "history.json").write_text(to_json(told), encoding="utf-8")


def _rule(margin: float | None, max_nfr: float | None, passes: int) -> Rule:
    from segue.congruent.recipes import FewestFlips, MostAccurate

    if margin is not None and max_nfr is not None:
        raise InputError("--margin and --max-nfr are two rules; leave out one of them")
    try:
        if max_nfr is not None:
            return MostAccurate(max_nfr, passes)
        return FewestFlips(passes=passes) if margin is None else FewestFlips(margin, passes)
    except InputError as error:
        raise InputError(f"--{str(error).replace('max_negative_flip_rate', 'max-nfr')}") from error


def _check_budget(methods: list[str], budgets: dict[str, float | None]) -> None:
    for name, value in budgets.items():
        if value is not None and methods != ["auto"]:
            raise InputError(
                f"{name} is for --method auto; a named method runs all its strengths: leave out one of them"
            )
        if value is not None and value <= 0:
            raise InputError(f"{name} is {value:g}; pass a positive budget")
