"""Label Studio's tasks in, predictions out, in the form that a push gives them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, Field, ValidationError

from annotate.article import Sentence
from annotate.corrections.rescoring import sentences_of
from annotate.reading import Targets
from annotate.studio.form import SLOTS, Form
from annotate.studio.tasks import key
from annotate.studio.tasks import tasks as tasks_of

if TYPE_CHECKING:
    from annotate.scoring import Annotator


class Place(BaseModel):
    """Offsets into the article."""

    start: int = Field(ge=0)
    end: int = Field(ge=0)


class Stance(BaseModel):
    """A target of the sentence and where it is named."""

    target: str
    mentions: list[Place]


class Pushed(BaseModel):
    """What is needed of the scored row that a push keeps with its task."""

    article_id: str
    outlet: str | None = None
    sentence_id: str
    start: int = Field(ge=0)
    text: str
    quoted: bool = False
    stance: list[Stance] | None = None
    holder_name: str | None = None


class Data(BaseModel):
    """What a task shows. Only the text is needed; the rest comes with a push."""

    text: str = Field(min_length=1, max_length=100_000)
    key: str | None = None
    article_id: str = ""
    sentence_id: str = ""
    start: int = Field(default=0, ge=0)
    target_0: str = ""
    target_1: str = ""
    target_2: str = ""
    target_3: str = ""


class Asked(BaseModel):
    """A task as Label Studio sends it."""

    data: Data
    meta: dict[str, Any] | None = None

    def pushed(self) -> Pushed | None:
        """The scored row it was pushed with, or None where it has none that is about its text."""
        try:
            row = Pushed.model_validate((self.meta or {}).get("row"))
        except ValidationError:
            return None
        end = row.start + len(row.text)
        places = [place for stance in row.stance or () for place in stance.mentions]
        fits = all(row.start <= place.start < place.end <= end for place in places)
        return row if fits and row.text == self.data.text else None


def sentence_of(asked: Asked) -> Sentence:
    """The sentence a task is about: targets where the push found them, else where their names stand."""
    data, row = asked.data, asked.pushed()
    text = data.text
    if row is not None:
        [sentence] = sentences_of([row.model_dump() | {"end": row.start + len(text)}])
        return sentence
    names = [name for k in range(SLOTS) if (name := getattr(data, f"target_{k}").strip())]
    mentions = Targets(dict.fromkeys(names, ())).mentions(text) if names else ()
    end = data.start + len(text)
    return Sentence(data.article_id, None, data.sentence_id, data.start, end, text, mentions=mentions)


def predictions(annotator: Annotator, tasks: Sequence[Asked], form: Form) -> list[dict[str, Any]]:
    """The prediction of each task, in order: model version, score and results, as `Task.prediction`.

    Each sentence is scored by itself, so the same task has the same answer whatever is asked beside it. What
    only its article tells is taken from the scored row it was pushed with: whether it stands in a quotation,
    and the full name of who is quoted.
    """
    sentences = [sentence_of(asked) for asked in tasks]
    rows = annotator.score_split([[sentence] for sentence in sentences])
    return [
        _prediction(asked, sentence, row, form)
        for asked, sentence, row in zip(tasks, sentences, rows, strict=True)
    ]


def _prediction(asked: Asked, sentence: Sentence, row: dict[str, Any], form: Form) -> dict[str, Any]:
    pushed = asked.pushed()
    if sentence.quoted:
        row["holder_kind"] = "source"
    if pushed and pushed.holder_name and row.get("holder_kind") == "source":
        name = row["holder_name"]
        row["holder_name"] = pushed.holder_name if name is None or name in pushed.holder_name else name
    data = asked.data.model_dump() | {"key": asked.data.key or key(sentence.id, sentence.text)}
    [task] = tasks_of([row], form)
    return task.prediction(form, data)
