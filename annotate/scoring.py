"""Articles in, the scores frame out: one row per sentence, in a stream."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from importlib.metadata import PackageNotFoundError, version
from itertools import chain, groupby, islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from annotate.article import Article, Mention, Sentence, sentence_ids
from annotate.errors import UserError
from annotate.frame import schema, table
from annotate.model.bundle import identity
from annotate.model.precision import Precision, fastest
from annotate.reading import Targets, find_targets_file, load_targets, read, split
from annotate.reading.decoding import clean

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    import pyarrow as pa

    from annotate.model.bundle import Bundle
    from annotate.siblings.compare import Beside

Progress = Callable[[str, int, int], None]

BLOCK = 5000
"""Articles that are set beside each other; what comes later is compared among itself."""
FEW = 64
"""Articles held at once where none are compared."""
CHUNK = 1024
"""Sentences scored together: enough to fill batches of like length, few enough to show progress."""

DATED = re.compile(r"\d{4}-\d\d-\d\d[T ]")
"""How a date with a time begins (ISO 8601)."""

TargetsLike = Targets | str | Path | Mapping[str, Sequence[str]] | Sequence[str] | None


class Annotator:
    """A loaded model that scores articles and sentences. `precision`: of the encoder's multiplications; by
    default the fastest that this processor has."""

    def __init__(self, bundle: Bundle, precision: Precision | None = None) -> None:
        self.bundle = bundle
        self.precision = precision or fastest()
        bundle.network.halved = self.precision == "bfloat16"

    @cached_property
    def signature(self) -> str:
        """How the scores were made: library, model with its settings, encoder, precision."""
        return signature_of(self.bundle.config, self.precision)

    def score(
        self,
        articles: Iterable[Article | str | Path] | str | Path,
        targets: TargetsLike = None,
        *,
        siblings: bool = True,
    ) -> pd.DataFrame:
        """The scores frame of articles, or of files and folders of articles.

        targets: a targets file or its path, a mapping of names to aliases, or names; by default a
        `targets.yaml` that lies beside the articles, else none; siblings: whether the articles are set beside
        each other.

        Raises:
            UserError: for a path that cannot be read or a malformed targets file.
        """
        import pyarrow as pa

        given = [articles] if isinstance(articles, str | Path | Article) else list(articles)
        if targets is None:
            targets = find_targets_file(item for item in given if not isinstance(item, Article))
        stream = self.stream(opened(given), as_targets(targets), siblings=siblings)
        return to_pandas(pa.concat_tables([schema().empty_table(), *stream]))

    def score_sentences(self, texts: Sequence[str], targets: TargetsLike = None) -> pd.DataFrame:
        """The scores frame of sentences: exactly one row per string, in order, nothing split or left out.

        Raises:
            UserError: when an item is not a string.
        """
        import pyarrow as pa

        chosen = as_targets(targets)
        sentences = []
        cleaned = cleaned_texts(texts)
        for number, (text, sentence_id) in enumerate(zip(cleaned, sentence_ids("", cleaned), strict=True)):
            mentions = chosen.mentions(text) if chosen else ()
            sentences.append(Sentence(str(number), None, sentence_id, 0, len(text), text, mentions=mentions))
        tables = [self._table([[s] for s in chunk]) for chunk in chunks(sentences, CHUNK)]
        return to_pandas(pa.concat_tables([schema().empty_table(), *tables]))

    def stance(self, texts: Sequence[str], spans: Sequence[tuple[int, int]]) -> pd.DataFrame:
        """The stance of each text toward the one target its span names.

        spans: (start, end) in code points, end exclusive. Returns a frame with one row per text and the
        columns `p_against, p_neutral, p_favor`.

        Raises:
            UserError: when there are not as many spans as texts, or a span lies outside its text.
        """
        import pandas as pd

        from annotate.model.prediction import predict
        from annotate.signals.stance import STANCE, STANCES

        if len(texts) != len(spans):
            raise UserError(
                f"There are {len(texts)} texts but {len(spans)} spans; give one span for each text."
            )
        sentences = []
        for number, (text, (start, end)) in enumerate(zip(cleaned_texts(texts), spans, strict=True)):
            if not 0 <= start < end <= len(text):
                raise UserError(
                    f"The span {start} to {end} of text {number} lies outside its {len(text)} characters."
                )
            mention = Mention("target", int(start), int(end))
            sentences.append(Sentence("", None, "", 0, len(text), text, mentions=(mention,)))
        settings = self.bundle.settings[STANCE.name]
        columns = [f"p_{stance}" for stance in STANCES]
        rows = []
        for chunk in chunks(sentences, CHUNK):
            scored = predict(self.bundle.network, self.bundle.tokenizer, chunk, only=[STANCE])
            for sentence, scores in zip(chunk, scored, strict=True):
                found = STANCE.decode(scores[STANCE.name], sentence, settings)["stance"][0]
                rows.append([found[column] for column in columns])
        return pd.DataFrame(rows, columns=columns, dtype="float64")

    def stream(
        self,
        articles: Iterable[Article],
        targets: Targets | None = None,
        *,
        siblings: bool = False,
        windows: bool = False,
        progress: Progress = lambda what, done, total: None,
    ) -> Iterator[pa.Table]:
        """Tables of the scores frame, article after article, some CHUNK sentences at a time; an article is
        never parted. Only one such table is in memory.

        siblings: whether articles are set beside each other, within each BLOCK of them; the texts of a block
        are then held at once. windows: whether a block also ends where `Article.event` becomes another (for
        a date with a time: another day).
        """
        waiting: list[list[Sentence]] = []
        near: dict[str, Beside] = {}
        if not siblings:
            parts = blocks(articles, FEW)
        elif windows:
            parts = chain.from_iterable(blocks(run, BLOCK) for _, run in groupby(articles, key=window))
        else:
            parts = blocks(articles, BLOCK)
        for block in parts:
            parted = [split(article, targets) for article in block]
            if siblings:
                from annotate.siblings.compare import compare

                near |= compare(parted, progress=lambda n, of: progress("Comparing articles", n, of))
            for sentences in parted:
                waiting.append(sentences)
                if sum(map(len, waiting)) >= CHUNK:
                    yield self._table(waiting, near)
                    waiting = []
            near = {s.id: near[s.id] for sentences in waiting for s in sentences if s.id in near}
        if waiting:
            yield self._table(waiting, near)

    def score_split(
        self, articles: Sequence[Sequence[Sentence]], near: Mapping[str, Beside] | None = None
    ) -> list[dict[str, Any]]:
        """The rows of articles that are split into sentences, each article's together, with what stands
        beside them."""
        from annotate.model.prediction import predict

        content = [s for sentences in articles for s in sentences if not s.boilerplate]
        scored = iter(predict(self.bundle.network, self.bundle.tokenizer, content))
        return [row for sentences in articles for row in self._rows(sentences, scored, near or {})]

    def _table(
        self, articles: Sequence[Sequence[Sentence]], near: Mapping[str, Beside] | None = None
    ) -> pa.Table:
        return table(self.score_split(articles, near))

    def _rows(
        self, sentences: Sequence[Sentence], scored: Iterator[dict[str, Any]], near: Mapping[str, Beside]
    ) -> list[dict[str, Any]]:
        rows: list[dict[str, Any]] = []
        signals, settings = self.bundle.network.signals, self.bundle.settings
        for sentence in sentences:
            row: dict[str, Any] = {
                "article_id": sentence.article_id,
                "outlet": sentence.outlet,
                "sentence_id": sentence.id,
                "start": sentence.start,
                "end": sentence.end,
                "text": sentence.text,
                "boilerplate": sentence.boilerplate,
                "model": self.signature,
            }
            if not sentence.boilerplate:
                scores = next(scored)
                if sentence.id in near:
                    row.update(near[sentence.id].columns(sentence.start, evidence(scores, near[sentence.id])))
                for signal in signals:
                    row.update(signal.decode(scores[signal.name], sentence, settings[signal.name]))
            rows.append(row)
        content = [row for row in rows if not row["boilerplate"]]
        for signal in signals:
            signal.resolve(content, [s for s in sentences if not s.boilerplate])
        for row in content:
            doubts = [signal.uncertainty(row) for signal in signals]
            row["uncertainty"] = sum(doubts) / len(doubts)
        return rows


def evidence(scores: Mapping[str, Any], beside: Beside) -> np.ndarray | None:
    """What the model makes of the words that may have drifted; None where it knows no garble."""
    from annotate.signals.garble import GARBLE

    if GARBLE.name not in scores:
        return None
    return GARBLE.evidence(scores[GARBLE.name], [(s.start, s.end) for s in beside.suspects.spans])


def load(model: str | Path | None = None, *, precision: Precision | None = None) -> Annotator:
    """An annotator with the model in a folder, with a version of the registry by its name, or by default with
    the version that serves: the model that comes with the package, unless another was promoted. `precision`:
    by default the fastest that this processor has; probabilities differ by 0.001 on average.

    Raises:
        UserError: when there is no such model, it is damaged, or its encoder cannot be had.
    """
    from annotate.model.bundle import load_bundle
    from annotate.registry import resolve

    return Annotator(load_bundle(resolve(model)), precision)


def as_targets(targets: TargetsLike) -> Targets | None:
    """Targets in any of the forms that the API takes."""
    if targets is None or isinstance(targets, Targets):
        return targets
    if isinstance(targets, str | Path):
        return load_targets(targets)
    if isinstance(targets, Mapping):
        return Targets({name: tuple(aliases) for name, aliases in targets.items()})
    return Targets(dict.fromkeys(targets, ()))


def opened(given: Iterable[Article | str | Path]) -> Iterator[Article]:
    """Articles as they are, their texts cleaned; paths read."""
    for item in given:
        if isinstance(item, Article):
            yield replace(item, text=clean(item.text)[0])
        else:
            yield from read([item])


def cleaned_texts(texts: Sequence[str]) -> list[str]:
    """The texts without characters that no text may hold, replaced one for one.

    Raises:
        UserError: when an item is not a string.
    """
    for number, text in enumerate(texts):
        if not isinstance(text, str):
            raise UserError(f"Sentence {number} is {type(text).__name__}, not a string.")
    return [clean(text)[0] for text in texts]


def chunks(items: Sequence[Any], size: int) -> Iterator[Sequence[Any]]:
    """Consecutive pieces of at most `size` items."""
    for start in range(0, len(items), size):
        yield items[start : start + size]


def blocks(articles: Iterable[Article], size: int) -> Iterator[list[Article]]:
    """Consecutive articles, at most `size` at a time."""
    rest = iter(articles)
    while block := list(islice(rest, size)):
        yield block


def window(article: Article) -> str:
    """What an article's event is worth as a window: the day of a date with a time, else the event itself."""
    event = article.event or ""
    return event[:10] if DATED.match(event) else event


def to_pandas(scores: pa.Table) -> pd.DataFrame:
    """The scores frame as pandas: lists stay Python lists of dicts."""
    import pandas as pd

    return pd.DataFrame(scores.to_pylist(), columns=scores.schema.names)


def signature_of(config: Mapping[str, Any], precision: Precision) -> str:
    """The signature of scores that a bundle of this config makes in this precision."""
    encoder = config["encoder"]["name"].rstrip("/").rsplit("/", 1)[-1]
    model = f"{config['name']}-{identity(dict(config))}"
    return f"annotate:{library_version()}|model:{model}|encoder:{encoder}|precision:{precision}"


def library_version() -> str:
    """The installed version of this package."""
    try:
        return version("annotate-news")
    except PackageNotFoundError:
        return "unknown"
