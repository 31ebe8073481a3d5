"""The retraining job: pull, learn from the corrections, judge, promote or refuse, predict anew what is open.

One run belongs to one snapshot and has one folder, with its record (`record.json`), its log (`log.txt`) and
what it made so far. Killed at any step, the same command goes on from there.
"""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from annotate import home, registry
from annotate.corrections import snapshot
from annotate.corrections.adjudication import Truth, adjudicate
from annotate.corrections.correction import Correction
from annotate.corrections.standing import Standing
from annotate.errors import UserError
from annotate.progress import Reporter
from annotate.studio.calls import Patience
from annotate.studio.client import Connection
from annotate.studio.form import form
from annotate.studio.pull import Scan, project_number, pull
from annotate.training.gate import HELD_OUT, is_held_out

if TYPE_CHECKING:
    from annotate.training.gate import Judgement
    from annotate.training.recipe import Recipe

MIN_CORRECTIONS = 20
EPOCHS = 8
SHARE = 0.5
"""How far a model goes, of the way to what its corrections make of it."""
WHOLE = "whole"
"""The folder of the model that goes all of it, which never serves: the gate looks where corrections lead."""
STEPS = 1600
"""At the most: ten minutes on two cores."""
OPEN_ROWS = 6000
"""Of a project's open sentences, so many are looked through for what the model is to keep."""
Verdict = Literal["promoted", "refused", "nothing new", "too few", "dry run"]
EXIT_CODES: dict[str, int] = {"promoted": 0, "nothing new": 0, "too few": 0, "dry run": 0, "refused": 3}
"""What a scheduler is told; 2 is bad input or a server that fails, 4 that another run is at work."""
Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a retraining ended: its verdict, the reasons in lines, and the run's record."""

    verdict: Verdict
    lines: list[str]
    record: dict[str, Any]

    @property
    def exit_code(self) -> int:
        return EXIT_CODES[self.verdict]


def retrain(
    project: str,
    *,
    server: Connection,
    reporter: Reporter,
    data: Path | None = None,
    min_corrections: int = MIN_CORRECTIONS,
    dry_run: bool = False,
    patience: Patience | None = None,
) -> Outcome:
    """Retrain the serving model on a project's corrections.

    min_corrections: how many annotations must have come or changed since the last run; data: the folder of
    the research corpora, whose training rows are replayed and whose dev sets join the gate; dry_run: pull
    nothing into place, train nothing, say what would be done.

    Raises:
        UserError: for a project, server or corpus that cannot be used, or a full disk.
        Busy: when another retraining of the project is under way on this machine.
    """
    root = place(server.url, project)
    busy = f"another retraining of “{project}” is under way on this machine; it was left to it"
    with home.lock(root / "retrain.lock", patience=0, busy=busy):
        pulled = pull(
            project,
            server=server,
            full=True,  # tasks that were deleted must not go on teaching
            dry_run=dry_run,
            say=lambda line: reporter.say(f"annotate: {line}"),
            progress=lambda done: reporter.step("Pulling annotations", done),
            patience=patience,
        )
        corrections = pulled.corrections
        fresh = news(root, corrections)
        about = f"{len(corrections)} annotations in “{project}”, {fresh} usable and new since the last run"
        if fresh == 0:
            return Outcome("nothing new", [f"Nothing new: {about}."], {})
        begun = pulled.snapshot is not None and unfinished(root, pulled.snapshot.id)
        if fresh < min_corrections and not begun:
            return Outcome("too few", [f"Too few: {about}; {min_corrections} are asked for."], {})
        truths = adjudicate(corrections)
        if all(is_held_out(truth.row["article_id"]) for truth in truths.truths):
            line = f"Too few: {about}, and none to learn from: one article in {HELD_OUT} is kept for judging."
            return Outcome("too few", [line], {})
        if dry_run:
            line = (
                f"Would train on {about}: {len(truths.truths)} sentences are decided, "
                f"{len(truths.held_back)} answers held back."
            )
            return Outcome("dry run", [line], {})
        assert pulled.snapshot is not None, "there are annotations"
        run = Run(root / pulled.snapshot.id, project, server, reporter, data, patience or Patience())
        return run.carry_out(pulled.snapshot)


def place(server: str, project: str) -> Path:
    """The folder of a project's runs on this machine."""
    return home.data_dir() / "retraining" / snapshot.place(server, project).name


def news(root: Path, corrections: Sequence[Correction]) -> int:
    """How many usable annotations came or changed since the last run that ended."""
    seen: dict[str, str] = {}
    for record in records(root):
        if record["verdict"]:
            seen = record["annotations"]
    return sum(c.usable and seen.get(str(c.annotation)) != c.updated_at for c in corrections)


def records(root: Path) -> list[dict[str, Any]]:
    """The records of a project's runs, oldest first."""
    found = []
    for path in sorted(root.glob("*/record.json")):
        try:
            found.append(json.loads(path.read_text(encoding="utf-8")))
        except (OSError, ValueError):
            continue
    return found


def unfinished(root: Path, run: str) -> bool:
    """Whether a run of this snapshot was begun and cut off."""
    return any(record["snapshot"] == run and not record["verdict"] for record in records(root))


class Run:
    """One run in its folder: every step is kept, and a step that was kept is not done again."""

    def __init__(
        self,
        folder: Path,
        project: str,
        server: Connection,
        reporter: Reporter,
        data: Path | None,
        patience: Patience,
    ) -> None:
        self.folder, self.project, self.server = folder, project, server
        self.reporter, self.data, self.patience = reporter, data, patience
        self.record: dict[str, Any] = {}

    def carry_out(self, taken: snapshot.Snapshot) -> Outcome:
        """All steps from where the last try left off."""
        self.begin(taken)
        truths = adjudicate(taken.corrections)
        rows = self.rows(taken)
        model = self.fit(truths.truths, rows)
        judgement = self.judge(truths.truths, model)
        verdict: Verdict = "promoted" if judgement["promote"] else "refused"
        if verdict == "promoted":
            version = registry.add(model)
            # Kept before it is promoted: a run cut off in between then knows the version as its own.
            self.keep(version=version.name)
            registry.promote(version.name, f"retrained on {taken.id} of “{self.project}”")
            self.log(f"{version.name} serves now.")
            self.predict(rows)
        else:
            self.log(f"Refused: {self.record['parent']} goes on serving.")
        seconds = round(time.time() - datetime.fromisoformat(self.record["started"]).timestamp())
        self.keep(verdict=verdict, ended=now(), seconds=seconds)
        self.clear(done=True)
        self.tell()
        return Outcome(verdict, [*judgement["lines"], last_line(verdict, self.record)], self.record)

    def begin(self, taken: snapshot.Snapshot) -> None:
        """The record, taken up or begun. Where another model was promoted meanwhile, the run starts again."""
        path = self.folder / "record.json"
        serving = registry.serving().name
        if path.is_file():
            self.record = json.loads(path.read_text(encoding="utf-8"))
            if serving in (self.record["parent"], self.record.get("version")):
                self.log(f"Going on with the run of {self.record['started']}.")
                return
            self.log(f"{serving} was promoted meanwhile; starting again from it.")
            self.clear()
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise UserError(f"{self.folder} cannot be made ({error.strerror}); make room.") from error
        self.record = {"verdict": None}
        self.keep(
            project=self.project,
            server=self.server.url,
            snapshot=taken.id,
            parent=serving,
            started=now(),
            annotations=taken.manifest["annotations"],
            annotators=taken.manifest["annotators"],
            set_aside=taken.manifest["set_aside"],
        )
        self.log(f"Retraining {serving} on {taken.id} of “{self.project}”.")

    def clear(self, done: bool = False) -> None:
        """Remove what the folder holds but for its log and, when all is done, its record; a refused model
        stays as well, to be looked into."""
        kept = {"log.txt"}
        if done:
            kept |= {"record.json"} if self.record["verdict"] == "promoted" else {"record.json", "model"}
        for path in self.folder.iterdir():
            if path.name not in kept:
                shutil.rmtree(path) if path.is_dir() else path.unlink()

    def rows(self, taken: snapshot.Snapshot) -> Standing:
        """All scored rows of the project; those without a usable annotation are open."""
        path = self.folder / "rows.jsonl"
        if path.is_file():
            return Standing(path)
        number = project_number(self.server, self.project, self.patience, form(), lambda line: None)
        done = {c.key for c in taken.corrections if c.usable}

        def found() -> Iterator[Row]:
            tasks = Scan(self.server, number, self.patience).tasks(None, "id,data,meta")
            for n, task in enumerate(tasks, 1):
                if row := (task.get("meta") or {}).get("row"):
                    yield {**row, "open": task["data"]["key"] not in done}
                self.reporter.step("Reading open sentences", n)

        return Standing.write(path, found())

    def fit(self, truths: Sequence[Truth], rows: Standing) -> Path:
        """The new model's folder; beside it, in WHOLE, stands the model that went the whole way."""
        from annotate.model.bundle import read_config, save_bundle
        from annotate.model.encoder import EncoderSpec
        from annotate.signals.stance import STANCE
        from annotate.training import lessons, processes
        from annotate.training.continuing import go_on, part_way

        folder = self.folder / "model"
        if folder.is_dir() and (self.folder / WHOLE).is_dir():
            return folder
        parent = registry.version(self.record["parent"]).folder
        config = read_config(parent)
        given = [({**truth.row, **truth.columns}, truth.signals) for truth in truths]
        reviewed = lessons.reviewed(given, held_out=False)
        # Half from the project, half from the package: together as many as the plan looks at once.
        enough = EPOCHS * max(map(len, reviewed.values())) // 2
        taught = lessons.Lessons(
            {**reviewed, STANCE: lessons.balanced(reviewed[STANCE])},
            lessons.unreviewed(rows.some_open(OPEN_ROWS), min(enough, lessons.OPEN)),
            lessons.replayed(self.data) if self.data else {},
        )
        counts = {signal.name: len(examples) for signal, examples in reviewed.items()}
        self.keep(taught=counts, replayed={name: len(rows) for name, rows in taught.replay.items()})
        recipe = recipe_of(config)
        work = partial(go_on, parent, taught, recipe, self.folder / "fit", epochs=EPOCHS)
        processes.together(work)
        whole = work(progress=lambda done, total, losses: self.reporter.step("Training", done, total))
        continued = {k: v for k, v in asdict(recipe).items() if k != "encoder"} | {"epochs": EPOCHS}
        half = part_way(parent, whole, SHARE)
        for place, bundle, share in ((self.folder / WHOLE, whole, 1.0), (folder, half, SHARE)):
            save_bundle(
                place,
                bundle.network,
                bundle.settings,
                name=f"retrained-{self.record['started'][:10]}",
                encoder=EncoderSpec(**config["encoder"]),
                training={
                    **config["training"],
                    "snapshot": self.record["snapshot"],
                    "project": self.project,
                    "taught": counts,
                    "recipe": {**config["training"].get("recipe", {}), "frozen": recipe.frozen},
                    "continued": {**continued, "share": share},
                },
                figures={},
                parent=self.record["parent"],
            )
        self.log("Trained on " + ", ".join(f"{n} examples of {name}" for name, n in counts.items()) + ".")
        return folder

    def judge(self, truths: Sequence[Truth], model: Path) -> dict[str, Any]:
        """What the gate says of the new model, with its lines."""
        from annotate.model.bundle import load_bundle, write_figures
        from annotate.model.precision import fastest
        from annotate.training import lessons
        from annotate.training.frozen import frozen
        from annotate.training.gate import FROZEN, judge

        if "judgement" in self.record:
            found: dict[str, Any] = self.record["judgement"]
            return found
        given = [({**truth.row, **truth.columns}, truth.signals) for truth in truths]
        held_out = lessons.reviewed(given, held_out=True)
        sets: dict[str, Any] = {FROZEN: lessons.untaught(frozen(), given)}
        if self.data:
            sets |= lessons.dev_sets(self.data)
        parent = registry.version(self.record["parent"])
        began = registry.origin(parent.name)
        old, new, whole = (load_bundle(f) for f in (parent.folder, model, self.folder / WHOLE))
        first = old if began.name == parent.name else load_bundle(began.folder)
        for bundle in (old, new, whole, first):
            bundle.network.halved = fastest() == "bfloat16"
        since = None if first is old else (began.name, first)
        said: Judgement = judge(old, new, held_out, sets, self.reporter.step, since, whole)
        lines = said.lines()
        if not any(held_out.values()):
            lines.append("No article with corrections is held out yet: the frozen set alone decided.")
        write_figures(model, {"gate": said.to_dict()})
        self.keep(judgement={**said.to_dict(), "lines": lines})
        for line in lines:
            self.log(line, aloud=False)
        kept: dict[str, Any] = self.record["judgement"]
        return kept

    def predict(self, rows: Standing) -> None:
        """New predictions for the sentences that are still open."""
        import pyarrow as pa

        from annotate.corrections.rescoring import rescored
        from annotate.frame import schema
        from annotate.scoring import load
        from annotate.studio.push import push

        open_ids = {row["sentence_id"] for row in rows if row["open"]}
        if not open_ids:
            return
        names = schema().names

        def tables() -> Iterator[pa.Table]:
            done = 0
            for again in rescored(load(), rows.open_articles()):
                wanted = [{k: row.get(k) for k in names} for row in again if row["sentence_id"] in open_ids]
                done += len(wanted)
                self.reporter.step("Scoring open sentences", done, len(open_ids))
                yield pa.Table.from_pylist(wanted, schema=schema())

        report = push(
            tables(),
            self.project,
            server=self.server,
            known_only=True,
            progress=lambda done, total: self.reporter.step("Pushing predictions", done, total),
            patience=self.patience,
        )
        self.log(f"{report.predicted} open sentences have new predictions.")

    def keep(self, **what: Any) -> None:
        """Write into the record."""
        self.record |= what
        home.write(self.folder / "record.json", json.dumps(self.record, indent=1, ensure_ascii=False) + "\n")

    def log(self, line: str, aloud: bool = True) -> None:
        """A line for people, with its time, in the run's log and, aloud, on the terminal."""
        with (self.folder / "log.txt").open("a", encoding="utf-8") as file:
            file.write(f"{now()}  {line}\n")
        if aloud:
            self.reporter.say(f"annotate: {line}")

    def tell(self) -> None:
        """Tell a team's MLflow server, where one is named."""
        from annotate.training.tracking import log_run

        log_run(self.record, self.reporter.say)


def recipe_of(config: dict[str, Any]) -> Recipe:
    """How a model goes on from this one."""
    from annotate.model.precision import fastest
    from annotate.training.recipe import Recipe

    frozen = config["training"].get("recipe", {}).get("frozen", [])
    return Recipe(
        "retrained",
        {},
        steps=STEPS,
        batch_size=16,
        precision=fastest(),
        learning_rate=2e-5,
        head_learning_rate=2e-4,
        checkpoint_every=100,
        frozen=list(frozen),
    )


def last_line(verdict: Verdict, record: dict[str, Any]) -> str:
    """The verdict in a sentence."""
    if verdict == "promoted":
        return (
            f"Promoted: {record['version']} serves now. `annotate models rollback` goes back to "
            f"{record['parent']}."
        )
    return f"Refused: {record['parent']} goes on serving; the lines marked NO say why."


def now() -> str:
    """The time in UTC, to the second."""
    return datetime.now(UTC).isoformat(timespec="seconds")
