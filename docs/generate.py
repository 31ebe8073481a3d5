"""Writes the pages that follow from the code: the commands, the scores frame, the keys.

    python docs/generate.py

A test fails when a page is not what this writes, or when a column of the scores frame is not told here.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import click
import pyarrow as pa

from annotate.cli import main
from annotate.frame import schema
from annotate.signals import SIGNALS
from annotate.studio.form import Form, form

DOCS = Path(__file__).parent
WRITTEN = "<!-- Written by docs/generate.py; do not edit. -->\n"

COLUMNS = {
    "article_id": "The article: its `id`, else the file's name, else `<file>:<row>`.",
    "outlet": "Who published it, where the input says so; else empty.",
    "sentence_id": "The sentence: a hash of the article's id and its text, the same on every machine.",
    "start": "Where the sentence begins in the article.",
    "end": "Where it ends.",
    "text": "The sentence.",
    "boilerplate": "True for bylines, share prompts, comment forms and the like: kept, but not scored.",
    "holder_kind": "Whose words they are: `outlet`, or `source` where someone is quoted or reported.",
    "holder_name": "The source's name, where the article gives one.",
    "attribution": "Probability that most of the sentence is a source's.",
    "attribution_spans": "Who is quoted, by which words, and what is said.",
    "attribution_spans.role": "`source`, `cue` (such as *said*) or `content`.",
    "attribution_spans.start": "Where it begins in the article.",
    "attribution_spans.end": "Where it ends.",
    "attribution_spans.probability": "Of the span.",
    "stance": "One entry for each target that the sentence names.",
    "stance.target": "The target's name in the targets file.",
    "stance.mentions": "Where the sentence names it.",
    "stance.mentions.start": "Where the mention begins in the article.",
    "stance.mentions.end": "Where it ends.",
    "stance.label": "`against`, `neutral` or `favor`: the most probable of the three.",
    "stance.p_against": "Probability that the holder is against the target.",
    "stance.p_neutral": "Probability of neither.",
    "stance.p_favor": "Probability that the holder is in favor of it.",
    "hedging": "Probability that the sentence weakens a claim.",
    "hedging_spans": "The cue words that weaken it.",
    "hedging_spans.start": "Where the cue begins in the article.",
    "hedging_spans.end": "Where it ends.",
    "hedging_spans.probability": "Of the cue.",
    "loaded": "Probability that the sentence is slanted by its choice of words.",
    "loaded_spans": "The words that slant it.",
    "loaded_spans.start": "Where they begin in the article.",
    "loaded_spans.end": "Where they end.",
    "loaded_spans.probability": "Of these words.",
    "garble": "Probability that the sentence is garbled: one major error in 25 words, or worse.",
    "garble_spans": "The words that went wrong.",
    "garble_spans.start": "Where they begin in the article.",
    "garble_spans.end": "Where they end.",
    "garble_spans.probability": "That they are wrong.",
    "garble_spans.category": "The kind of error, as in MQM.",
    "garble_spans.severity": "`minor` or `major`: whether the meaning is changed or lost.",
    "garble_spans.better": "A better wording, where a reviewer gave one; the model gives none.",
    "siblings": "Sentences of other articles that report the same thing.",
    "siblings.article_id": "The other article.",
    "siblings.sentence_id": "The other sentence.",
    "siblings.similarity": "Probability that the two report the same thing.",
    "drift": "Words that say something else than the siblings do.",
    "drift.start": "Where they begin in the article.",
    "drift.end": "Where they end.",
    "drift.sibling_article_id": "The article with the other wording.",
    "drift.sibling_sentence_id": "The sentence with the other wording.",
    "drift.sibling_text": "The other wording; empty where there is none.",
    "drift.kind": "What differs: the meaning, a name, a number, what is left out or added …",
    "drift.probability": "That this is a drift.",
    "uncertainty": "How unsure the model is, 0 to 1: the mean doubt of the five signals.",
    "model": "How the row was made: library, model, encoder, precision.",
}
"""What each column of the scores frame, and each field within one, holds."""


def commands() -> str:
    """Every command with its help, its example and its options."""
    parts = [
        WRITTEN,
        "# Commands",
        "Every command answers `--help`. See also [exit codes and environment](environment.md).",
    ]
    for path, command in walk(main, ()):
        parts += list(section(" ".join(path), command))
    return "\n\n".join(parts) + "\n"


def walk(group: click.Group, above: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    for name, command in group.commands.items():
        yield (*above, name), command
        if isinstance(command, click.Group):
            yield from walk(command, (*above, name))


def section(name: str, command: click.Command) -> Iterator[str]:
    told, _, example = (command.help or "").replace("\b\n", "").partition("Example:")
    if not told.strip() or not example.strip():
        raise SystemExit(f"`annotate {name}` has no help or no example")
    yield f"{'##' if ' ' not in name else '###'} annotate {name}"
    yield from (" ".join(paragraph.split()) for paragraph in told.strip().split("\n\n"))
    yield "\n".join(["```sh", *(line.strip() for line in example.strip().splitlines()), "```"])
    rows = [option(parameter) for parameter in command.params if isinstance(parameter, click.Option)]
    if rows:
        yield "\n".join(["| option | what it does |", "|---|---|", *rows])


def option(found: click.Option) -> str:
    """One row of the table of options."""
    names = ", ".join(f"`{name}`" for name in (*found.opts, *found.secondary_opts))
    if isinstance(found.type, click.Choice):
        kind = f" {', '.join(found.type.choices)}"
    else:
        kind = "" if found.is_flag else f" {found.make_metavar(click.Context(main))}"
    told = (found.help or "").strip()
    if found.show_default and found.default is not None:
        told += f" Default: `{found.default}`."
    if found.required:
        told += " Required."
    return f"| {names}{kind} | {told} |"


def frame() -> str:
    """Every column of the scores frame."""
    rows = [row for field in schema() for row in told_column(field.name, field.type, "")]
    stale = COLUMNS.keys() - {row[0] for row in rows}
    if stale:
        raise SystemExit(f"there is no column {min(stale)}")
    table = [f"| `{name}` | {kind} | {COLUMNS[name]} |" for name, kind in rows]
    return (
        "\n".join(
            [
                WRITTEN,
                "# The scores frame\n",
                "One row is one sentence. `annotate score` writes it as parquet, csv or jsonl, and",
                "`Annotator.score` returns it as a pandas frame; both have these columns. An offset",
                "counts Unicode code points into the article, the end exclusive. A name with a dot is a",
                "field of an entry of that column's list. Boilerplate leaves the signals' columns empty.\n",
                "| column | type | what it holds |",
                "|---|---|---|",
                *table,
            ]
        )
        + "\n"
    )


def told_column(name: str, kind: pa.DataType, above: str) -> Iterator[tuple[str, str]]:
    """A column, and the fields of its entries: names and types."""
    if name not in COLUMNS:
        raise SystemExit(f"the column {name} of the scores frame is not told in docs/generate.py")
    inner = kind.value_type if pa.types.is_list(kind) else kind
    if pa.types.is_struct(inner):
        yield name, "list"
        for field in inner:
            yield from told_column(f"{name}.{field.name}", field.type, name)
    else:
        plain = {"int64": "int", "float": "float", "double": "float", "bool": "bool", "string": "string"}
        yield name, plain[str(inner)]


def keys() -> str:
    """The keys of the labelling interface."""
    asked: Form = form(SIGNALS)
    rows = [f"| `{label.key}` | mark a span as **{label.value}** |" for label in asked.labels]
    for question in asked.questions:
        for row, keys in enumerate(question.keys):
            of = {"target": f"of target {row + 1}", "span": "of the chosen span"}.get(question.scope, "")
            title = f"{question.title} {of}".strip()
            for key, choice in zip(keys, question.choices, strict=True):
                rows.append(f"| `{key}` | {title}: **{choice}** |")
    head = [WRITTEN, "# Keys", "", "| key | what it does |", "|---|---|"]
    return "\n".join([*head, *rows, *BUILT_IN]) + "\n"


BUILT_IN = (
    "| `Backspace` | delete the chosen span |",
    "| `u` | choose no span any more |",
    "| `Ctrl` + `Enter` | submit, and go on to the next sentence |",
)
"""Keys that are Label Studio's own."""

PAGES = {"reference/commands.md": commands, "reference/frame.md": frame, "annotators/keys.md": keys}
"""What is written, and by what."""


if __name__ == "__main__":
    for name, page in PAGES.items():
        (DOCS / name).parent.mkdir(exist_ok=True)
        (DOCS / name).write_text(page(), encoding="utf-8")
        print(f"Wrote docs/{name}")
