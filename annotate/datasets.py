"""Scores, or what reviewers made of them, as a Hugging Face `DatasetDict` to train other models with.

Every row has `article_id`, `sentence_id`, `outlet` and `text`, the sentence; offsets are code points into
this text, end exclusive. For one signal follow

| column | where | what |
|---|---|---|
| `label` | all | ClassLabel: `outlet, source`; stance `against, neutral, favor`; else `no, yes` |
| `probability` | all but stance | of the second class; 0 or 1 where a person said so |
| `probabilities` | stance | of the three classes, in their order |
| `target`, `mentions` | stance, one row per sentence and target | whom it is toward, and where it is named |
| `holder_name` | attribution | who says it, where the article tells |
| `spans` | all but stance | `start`, `end`, `label` (ClassLabel); garble with `category` and `better` |
| `tokens`, `tags` | all but stance | words and signs, and the BIO tag of each (ClassLabel) |

For all signals together there is a row per sentence with `tokens` and, for each signal, these columns
with its name before them (`hedging_label`, `hedging_spans`, `hedging_tags` …); `stance` is then a list of
`target, mentions, label, probabilities`. What is not known of a sentence is null.

A tag's name is the span's label as reviewers see it (`B-Hedge`, `I-Hedge`, `O`). Where spans overlap, as a
source's within another's content, the shorter one tags the word.
"""

from __future__ import annotations

import hashlib
import re
import warnings
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from annotate.corrections.snapshot import MANIFEST, Snapshot
from annotate.corrections.snapshot import read as read_snapshot
from annotate.errors import UserError
from annotate.signals import SIGNALS
from annotate.signals.base import Row, Signal, overlapping
from annotate.signals.review import Controls
from annotate.signals.stance import STANCE, STANCES

if TYPE_CHECKING:
    from datasets import DatasetDict, Features

    from annotate.scores import Scores

SPLITS = ("train", "validation", "test")
VALIDATION = 8
"""One in so many of the articles that are not for testing is for validation."""
TOKEN = re.compile(r"\w+|[^\w\s]")
PLACE = ("article_id", "sentence_id", "outlet", "text")


def to_datasets(source: Scores | Snapshot, signal: str | None = None) -> DatasetDict:
    """Scores, or reviewed corrections, as train, validation and test with typed features (see the module).

    source: a scores frame or file, whose labels are the model's; or a snapshot of corrections or its
    folder (`annotate pull`), whose labels are those that the annotators agree on. signal: the one to
    train; by default all.

    A sentence is `yes` from a probability of one half. Articles are never parted among the splits: a hash
    of its id puts each in one, on every machine and for ever. Test articles are those that a retraining
    holds out. Boilerplate is left out, and so is what has no label of the signal.

    Warns:
        UserWarning: where a split is empty, for want of articles.

    Raises:
        UserError: for scores or a snapshot that cannot be read, a signal that there is not, or where no
            sentence has labels of it.
    """
    from datasets import Dataset, DatasetDict

    chosen = _signal(signal)
    rows, about = _rows(source)
    kept: dict[str, list[Row]] = {name: [] for name in SPLITS}
    for row in rows:
        kept[split_of(row["article_id"])] += _examples(row, chosen)
    if not any(kept.values()):
        raise UserError(
            f"No sentence of these has labels of {signal or 'any signal'}"
            + ("; name targets, as with `targets=`, and score again." if chosen is STANCE else ".")
        )
    empty = [name for name in SPLITS if not kept[name]]
    if empty:
        warnings.warn(
            f"No article falls into {' or '.join(empty)}: a hash of its id decides, so more articles are "
            "needed.",
            stacklevel=2,
        )
    features = features_of(chosen)
    made = {
        name: Dataset.from_dict({c: [row[c] for row in kept[name]] for c in features}, features=features)
        for name in SPLITS
    }
    for part in made.values():
        part.info.description = about
    return DatasetDict(made)


def split_of(article_id: str) -> str:
    """The split of an article: test if a retraining holds it out, else by another hash of its id."""
    from annotate.training.gate import is_held_out

    if is_held_out(article_id):
        return "test"
    number = int(hashlib.sha256(f"validation\x1f{article_id}".encode()).hexdigest(), 16)
    return "validation" if number % VALIDATION == 0 else "train"


def features_of(signal: Signal | None) -> Features:
    """The columns of one signal's rows, or of all signals'."""
    from datasets import Features, List, Value

    place = {name: Value("string") for name in PLACE}
    if signal is STANCE:
        return Features(place | _stance_features())
    if signal is not None:
        return Features(place | {"tokens": List(Value("string"))} | _features(signal))
    found: dict[str, Any] = place | {"tokens": List(Value("string")), STANCE.name: List(_stance_features())}
    for each in SIGNALS:
        if each is not STANCE:
            found |= {f"{each.name}_{name}": kind for name, kind in _features(each).items()}
    return Features(found)


def _stance_features() -> dict[str, Any]:
    from datasets import ClassLabel, List, Value

    return {
        "target": Value("string"),
        "mentions": List({"start": Value("int32"), "end": Value("int32")}),
        "label": ClassLabel(names=list(STANCES)),
        "probabilities": List(Value("float32")),
    }


def _features(signal: Signal) -> dict[str, Any]:
    from datasets import ClassLabel, List, Value

    labels = [label.value for label in signal.controls.labels]
    span: dict[str, Any] = {"start": Value("int32"), "end": Value("int32"), "label": ClassLabel(names=labels)}
    for question in signal.controls.questions:
        if question.scope == "span":
            span[question.name] = ClassLabel(names=list(question.choices))
    span |= {box.name: Value("string") for box in signal.controls.boxes if box.scope == "span"}
    tags = ["O", *(f"{part}-{label}" for label in labels for part in "BI")]
    return {
        "label": ClassLabel(names=list(_classes(signal))),
        "probability": Value("float32"),
        **{box.name: Value("string") for box in signal.controls.boxes if box.scope == "sentence"},
        "spans": List(span),
        "tags": List(ClassLabel(names=tags)),
    }


def _classes(signal: Signal) -> Sequence[str]:
    """The names of the two classes of a sentence: those that reviewers choose from, if they are asked."""
    asked = [q.choices for q in signal.controls.questions if q.scope == "sentence"]
    return asked[0] if asked else ("no", "yes")


def _signal(name: str | None) -> Signal | None:
    found = {signal.name: signal for signal in SIGNALS}
    if name is not None and name not in found:
        raise UserError(f"There is no signal {name!r}; there are {', '.join(found)}.")
    return found[name] if name is not None else None


def _rows(source: Scores | Snapshot) -> tuple[Iterator[Row], str]:
    """The rows of the scores frame, as scored or as annotators left them, and where they come from."""
    if isinstance(source, str | Path) and (Path(source) / MANIFEST).is_file():
        source = read_snapshot(Path(source))
    if isinstance(source, Snapshot):
        return _reviewed(source), f"Reviewed with annotate: snapshot {source.id}"
    from annotate.scores import load_scores

    frame = load_scores(source)
    content = frame[~frame["boilerplate"].astype(bool)]
    return iter(content.to_dict("records")), f"Scored by {frame['model'].iloc[0]}"


def _reviewed(snapshot: Snapshot) -> Iterator[Row]:
    """What annotators agree on; the columns of a signal that is not decided are absent."""
    from annotate.corrections.adjudication import adjudicate

    place = (*PLACE, "start", "end")
    for truth in adjudicate(snapshot.corrections).truths:
        yield {**{name: truth.row.get(name) for name in place}, **truth.columns}


def _examples(row: Row, signal: Signal | None) -> list[Row]:
    """The row as examples: one, of stance one per target, none where it has no labels of the signal."""
    place = {name: row[name] for name in PLACE}
    if signal is STANCE:
        return [{**place, **stance} for stance in _stances(row)] if STANCE.scored(row) else []
    words = [match.span() for match in TOKEN.finditer(row["text"])]
    tokens = {"tokens": [row["text"][start:end] for start, end in words]}
    if signal is not None:
        return [{**place, **tokens, **_columns(signal, row, words)}] if signal.scored(row) else []
    scored = [each for each in SIGNALS if each.scored(row)]
    found = {**place, **tokens, STANCE.name: _stances(row) if STANCE in scored else None}
    for each in SIGNALS:
        if each is not STANCE:
            own = _columns(each, row, words) if each in scored else dict.fromkeys(_features(each))
            found |= {f"{each.name}_{name}": value for name, value in own.items()}
    return [found] if scored else []


def _stances(row: Row) -> list[Row]:
    return [
        {
            "target": stance["target"],
            "mentions": [
                {"start": m["start"] - row["start"], "end": m["end"] - row["start"]}
                for m in stance["mentions"]
            ],
            "label": stance["label"],
            "probabilities": [stance[f"p_{name}"] for name in STANCES],
        }
        for stance in row[STANCE.name]
    ]


def _columns(signal: Signal, row: Row, words: Sequence[tuple[int, int]]) -> Row:
    """What reviewers would see of it, as columns."""
    review = signal.to_review(row)
    answers = {answer.question: answer.value for answer in review.answers}
    boxes = [box.name for box in signal.controls.boxes if box.scope == "sentence"]
    asked = [question.name for question in signal.controls.questions if question.scope == "sentence"]
    label = answers[asked[0]] if asked else _classes(signal)[row[signal.name] >= 0.5]
    names = _of_spans(signal.controls)
    spans = [
        {"start": m.start, "end": m.end, "label": m.label, **{name: m.answers.get(name) for name in names}}
        for m in review.marks
    ]
    return {
        "label": label,
        "probability": row[signal.name],
        **{name: answers.get(name) for name in boxes},
        "spans": spans,
        "tags": bio(words, [(m.start, m.end, m.label) for m in review.marks]),
    }


def _of_spans(controls: Controls) -> list[str]:
    """What is asked of each span."""
    asked = [question.name for question in controls.questions if question.scope == "span"]
    return asked + [box.name for box in controls.boxes if box.scope == "span"]


def bio(words: Sequence[tuple[int, int]], spans: Sequence[tuple[int, int, str]]) -> list[str]:
    """The BIO tag of each word (start, end) by spans (start, end, label); of several the shorter one
    counts."""
    tags = ["O"] * len(words)
    for start, end, label in sorted(spans, key=lambda span: span[0] - span[1]):
        inside = overlapping(words, start, end)
        for n in inside:
            tags[n] = f"I-{label}"
        if inside:
            tags[inside[0]] = f"B-{label}"
        following = inside.stop if inside else 0
        # What a shorter span cut off begins anew.
        if inside and following < len(words) and tags[following].startswith("I-"):
            tags[following] = "B-" + tags[following][2:]
    return tags
