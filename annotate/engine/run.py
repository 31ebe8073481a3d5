"""A run over an archive: what there is to do, an engine that does it, and what became of it."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Literal

from annotate.engine import manifest
from annotate.engine.local import Local
from annotate.engine.manifest import Manifest
from annotate.engine.on_ray import OnRay
from annotate.engine.partition import Outcome, Work
from annotate.engine.plan import Plan, planned
from annotate.engine.storage import SUFFIX, Folder
from annotate.errors import UserError
from annotate.model.precision import Precision
from annotate.progress import Reporter
from annotate.reading import Problem

EngineName = Literal["local", "ray"]
LAST_RUN = "_last_run.json"
Aliases = Mapping[str, Sequence[str]]


@dataclass(frozen=True, slots=True)
class Archive:
    """What to score and how. `model`: as `annotate.load` takes it; `window`: a column outside whose value no
    article is compared; `targets`: names to aliases, None for those of the run so far."""

    source: str
    destination: str
    model: str | None = None
    targets: Aliases | None = None
    siblings: bool = True
    window: str | None = None
    any_language: bool = False


@dataclass(slots=True)
class Report:
    """What became of a run. `before`: partitions that were done already; `memory`: the largest worker's peak,
    in bytes."""

    workers: int = 0
    partitions: int = 0
    before: int = 0
    articles: int = 0
    sentences: int = 0
    left_out: int = 0
    bad: int = 0
    seconds: float = 0.0
    memory: int = 0
    set_aside: list[str] = field(default_factory=list)

    def add(self, outcome: Outcome) -> None:
        """Count a partition in."""
        self.partitions += outcome.problem is None
        self.articles += outcome.articles
        self.sentences += outcome.sentences
        self.left_out += outcome.left_out
        self.bad += outcome.bad
        self.memory = max(self.memory, outcome.memory)
        self.set_aside += [outcome.problem] if outcome.problem else []

    def message(self) -> str:
        """What a person wants to read at the end."""
        rate = self.sentences / max(self.seconds, 1e-9)
        lines = [
            f"{self.sentences:,} sentences of {self.articles:,} articles in {self.partitions:,} partitions, "
            f"{max(1, round(self.seconds)):,} s with {self.workers} worker{'s' * (self.workers != 1)}, "
            f"{rate:,.0f} a second."
        ]
        if self.before:
            lines.append(f"{self.before:,} partitions were there already.")
        if self.left_out:
            lines.append(f"{self.left_out:,} articles were left out: not English, or come twice.")
        if self.bad:
            lines.append(f"{self.bad:,} rows could not be used.")
        if self.set_aside:
            lines.append(
                f"{len(self.set_aside):,} partitions were set aside; the same command tries them again:"
            )
            lines += [f"  {reason}" for reason in self.set_aside]
        return "\n".join(lines)


def score_archive(
    archive: Archive,
    *,
    engine: EngineName = "local",
    workers: int | None = None,
    reporter: Reporter,
    propose: Callable[[Folder, Iterable[str]], Aliases],
    dry_run: bool = False,
) -> Report:
    """Score each parquet file of the source into one of the destination that has its name; what is there
    already stays. Bad rows are told to the reporter as they come, each partition that is set aside as well.

    propose: the targets of a first run for which none are given, from the source and its partitions.
    `workers`: for Ray, by default one for each core.

    Raises:
        UserError: when source, destination, model or cluster cannot be used, before anything is written.
    """
    source, destination = Folder(archive.source), Folder(archive.destination)
    apart(source, destination)
    before = manifest.found(destination)
    if before:
        targets = before.targets if archive.targets is None else archive.targets
        manifest.agree(before, settled(archive, source, targets, before.precision), destination)
    plan = planned(source, destination, before.run if before else None, archive.window)
    if dry_run:
        reporter.say(foreseen(plan))
        return Report(before=plan.done, set_aside=[o.problem or "" for o in plan.aside])
    with Local(archive.model) if engine == "local" else OnRay(archive.model, workers) as hired:
        now = before
        if now is None:
            targets = propose(source, plan.waiting) if archive.targets is None else archive.targets
            now = settled(archive, source, targets, hired.precision())
            destination.write(manifest.NAME, now.text())
        destination.clear()
        return carry_out(now, destination, plan, hired, reporter)


def carry_out(
    of: Manifest, destination: Folder, plan: Plan, hired: Local | OnRay, reporter: Reporter
) -> Report:
    """Have the plan's partitions scored; what became of them is also kept in the destination."""
    work = Work(
        of.source,
        destination.full,
        of.run,
        of.targets,
        of.siblings,
        of.window,
        of.any_language,
    )
    report = Report(workers=hired.workers, before=plan.done)
    began = time.monotonic()

    def take(outcome: Outcome) -> None:
        report.add(outcome)
        for said in outcome.errors:
            reporter.problem(Problem(said))
        if outcome.problem:
            reporter.problem(Problem(f"set aside: {outcome.problem}"))

    for outcome in plan.aside:
        take(outcome)
    if plan.waiting:
        for done, outcome in enumerate(
            hired.outcomes(work, plan.waiting, of.precision, of.signature), start=1
        ):
            take(outcome)
            reporter.step("Scoring partitions", done, len(plan.waiting))
    report.seconds = time.monotonic() - began
    destination.write(LAST_RUN, json.dumps(asdict(report), indent=1, ensure_ascii=False) + "\n")
    return report


def settled(archive: Archive, source: Folder, targets: Aliases, precision: Precision) -> Manifest:
    """The manifest of a run."""
    from annotate.model.bundle import read_whole
    from annotate.registry import resolve
    from annotate.scoring import signature_of

    return Manifest(
        signature=signature_of(read_whole(resolve(archive.model)), precision),
        precision=precision,
        source=source.full,
        targets={name: list(aliases) for name, aliases in targets.items()},
        siblings=archive.siblings,
        window=archive.window,
        any_language=archive.any_language,
    )


def apart(source: Folder, destination: Folder) -> None:
    """That neither folder lies within the other.

    Raises:
        UserError: when one does.
    """
    one, other = (f"{folder.full.rstrip('/')}/" for folder in (source, destination))
    if one.startswith(other) or other.startswith(one):
        raise UserError(
            f"--out {destination.address} and the source {source.address} lie within each other; keep them "
            "apart."
        )
    if destination.address.endswith(SUFFIX):
        raise UserError(
            f"--out {destination.address} is a file; with --engine it is a folder, of one file per partition."
        )


def foreseen(plan: Plan) -> str:
    """What a run would do, in a line."""
    return (
        f"annotate: would score {plan.articles:,} articles in {len(plan.waiting):,} partitions; "
        f"{plan.done:,} are done, {len(plan.aside):,} cannot be read."
    )
