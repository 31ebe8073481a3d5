"""One annotation of one sentence, as it was pulled: the unit of snapshots, agreement and training."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

from annotate.signals.review import Review

Status = Literal["accepted", "corrected", "manual"]
"""Per signal: whether the annotator left the prediction as it was, changed it, or had none to start from."""


@dataclass(frozen=True, slots=True)
class Correction:
    """What one annotator said about one sentence.

    `key` is the task's identity in the project (`annotate.studio.tasks.key`), `task` and `annotation` the
    server's numbers, `annotator` the e-mail address, times ISO 8601 in UTC, `lead_time` seconds.

    `row` is the scored row that was pushed (offsets into the article, `quoted` beside the frame's columns),
    `result` the annotation as Label Studio keeps it, `review` the same as marks and answers (offsets into
    `row["text"]`), `columns` the frame's columns as the annotator left them, `status` what became of the
    prediction of each signal. `problem` says why it cannot be used; then the last three are empty.
    A skipped one has `cancelled`. Neither is trained on.
    """

    key: str
    task: int
    annotation: int
    annotator: str
    created_at: str
    updated_at: str
    lead_time: float | None
    ground_truth: bool
    cancelled: bool
    model_version: str | None
    row: dict[str, Any]
    result: list[dict[str, Any]]
    review: Review = field(default_factory=Review)
    columns: dict[str, Any] = field(default_factory=dict)
    status: dict[str, Status] = field(default_factory=dict)
    problem: str | None = None

    @property
    def usable(self) -> bool:
        """Whether it can be counted and trained on."""
        return self.problem is None and not self.cancelled
