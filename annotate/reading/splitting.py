"""An article as sentences: where they lie, which are boilerplate, whom they mention."""

from __future__ import annotations

from collections.abc import Iterator

from annotate.article import Article, Sentence, sentence_ids
from annotate.quotation import quotations
from annotate.reading.sentences import sentence_spans
from annotate.reading.targets import Targets


def split(article: Article, targets: Targets | None = None) -> list[Sentence]:
    """The sentences of an article in order, boilerplate among them and marked as such.

    For each, `text == article.text[start:end]` without white space at either end; offsets are code
    points. Without `targets` no sentence has mentions.
    """
    from annotate.reading.boilerplate import flags  # compiles its phrases, which `--help` need not wait for

    spans = list(sentence_spans(article.text))
    texts = [article.text[start:end] for start, end in spans]
    ids = sentence_ids(article.id, texts)
    marked = flags(article.text, spans)
    paragraphs = list(_paragraphs(article.text, spans))
    return [
        Sentence(
            article_id=article.id,
            outlet=article.outlet,
            id=sentence_id,
            start=start,
            end=end,
            text=text,
            boilerplate=boilerplate,
            paragraph=paragraph,
            quoted=quotation.inside,
            mentions=targets.mentions(text) if targets else (),
        )
        for (start, end), text, sentence_id, boilerplate, paragraph, quotation in zip(
            spans,
            texts,
            ids,
            marked,
            paragraphs,
            quotations(zip(texts, paragraphs, strict=True)),
            strict=True,
        )
    ]


def _paragraphs(text: str, spans: list[tuple[int, int]]) -> Iterator[int]:
    """The number of each sentence's paragraph: a line break between two sentences begins another."""
    number, last = 0, 0
    for start, end in spans:
        if last and "\n" in text[last:start]:
            number += 1
        yield number
        last = end
