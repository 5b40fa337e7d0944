"""An embedding model whose queries can search the old gallery: what ``segue train`` does for an update of that kind."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from segue.cli.theirs import told_as_theirs
from segue.cli.train_folder import look_back, say
from segue.cli.update_file import OfTest, UpdateFile
from segue.errors import InputError

if TYPE_CHECKING:
    from segue.cli.train_options import TrainOptions
    from segue.compatible.recipes import BestOnOldGallery, Outcome, Tried
    from segue.retrieval import CrossTest

FILES = "model.safetensors", "outcome.json", "explanation.md", "cross-test.json", "front.html"
OF_TEST = OfTest(("old_test",), "embeddings", "(n, d_old)")
CLAIM = {"kind": "compatible"}


@dataclass(frozen=True)
class Compatible:
    """What is asked of a compatible training.

    Attributes:
        methods: What is tried.
        rule: How the pick is made.
        measure: What quality is.
    """

    methods: list[str]
    rule: BestOnOldGallery
    measure: str

    files: ClassVar = FILES
    of_test: ClassVar = OF_TEST

    @classmethod
    def asked(cls, options: TrainOptions) -> Compatible:
        """Read what was typed.

        Args:
            options: What was typed.

        Returns:
            What is asked.

        Raises:
            InputError: If options are wrong, or belong to the other kind of training.
        """
        from segue.compatible.recipes import METHODS, BestOnOldGallery
        from segue.congruent.recipes import METHODS as OTHERS
        from segue.retrieval.measures import named_measure

        theirs = {
            "--budget": options.budget,
            "--trainings": options.trainings,
            "--max-nfr": options.max_nfr,
            "--passes": options.passes,
        }
        stray = next((name for name, value in theirs.items() if value is not None), None)
        if stray is not None:
            raise InputError(
                f"{stray} is for congruent training (segue.congruent.recipes), and this update is a compatible one; "
                f"leave it out"
            )
        options.refuse_methods(METHODS, "compatible", OTHERS)
        try:
            rule = BestOnOldGallery() if options.margin is None else BestOnOldGallery(options.margin)
        except InputError as error:
            raise InputError(f"--{error}") from error
        return cls(options.methods, rule, named_measure(options.measure or "cmc@1").name)

    def begin(self, file: UpdateFile, folder: Path, out: str) -> None:
        """Claim the folder, and say what will be done.

        Args:
            file: The user's file.
            folder: The folder.
            out: The folder as it was typed.

        Raises:
            InputError: If the folder holds the runs of another kind of update.
        """
        from segue.compatible.recipes.kept import write

        claimed = folder / "update.json"
        if not claimed.exists():
            folder.mkdir(parents=True, exist_ok=True)
            write(claimed, CLAIM)
        elif json.loads(claimed.read_text(encoding="utf-8")) != CLAIM:
            raise InputError(f"--out: {str(folder)!r} holds the runs of a congruent training; name another folder")
        say(f"Training with {', '.join(self.methods)}; runs are kept in {out}, and Ctrl-C loses nothing.")
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
        from segue.cli.compatible_measuring import tested
        from segue.compatible.recipes import train

        update: Any = file.update
        methods = "auto" if self.methods == ["auto"] else self.methods
        outcome = train(update, methods, rule=self.rule, measure=self.measure, folder=folder, after_step=_told_step)
        outcome.save(folder)  # before test samples are asked for: what can go wrong there costs no training
        if not with_test:
            return _written(outcome, None, folder, command)
        samples, known = file.test(OF_TEST.names)
        told = "old_test" if file.old is None or not file.old.has_test else str(Path(file.old.name) / "test.npy")
        with told_as_theirs(file.path, "measuring the test samples"):
            found = tested(outcome, update, samples, known.get("old"), told)
        return _written(outcome, found, folder, command)

    def more(self, outcome: dict[str, Any], folder: Path) -> str:
        """Return what a reader must know beside the explanation.

        Args:
            outcome: What came of it.
            folder: The folder.

        Returns:
            Nothing: the explanation says all.
        """
        return ""


def _told_step(tried: Tried) -> None:
    made = f"{tried.candidates:,} candidate{'s' * (tried.candidates != 1)}"
    cost = f"{tried.trainings:g} training{'s' * (tried.trainings != 1)}, {tried.seconds:.3g} seconds"
    say(f"{tried.method}: {made} ({cost}){f'; {tried.note}' if tried.note else ''}")


def _written(outcome: Outcome, test: CrossTest | None, folder: Path, command: str) -> tuple[dict[str, Any], str]:
    from segue.cli.outputs.crossed import cross_json
    from segue.cli.outputs.machine import to_json
    from segue.report.compatible_front import write_compatible_front

    found = {**outcome.to_dict(), "test": None if test is None else test.to_dict()}
    words = outcome.explain()
    if test is None:
        shown, note = outcome.cross_test, "measured on the validation samples that the pick was chosen on"
    else:
        shown, note = test, "measured on test samples, once, after the pick was made"
        words = f"{words}\n\nOn {test.queries:,} test samples, measured once, after the choice:\n{test}"
    (folder / "outcome.json").write_text(to_json(found), encoding="utf-8")
    (folder / "explanation.md").write_text(words + "\n", encoding="utf-8")
    (folder / "cross-test.json").write_text(cross_json([shown], [note]), encoding="utf-8")
    write_compatible_front(found, folder / "front.html", command=command)
    return found, words
