"""Siblings and drift: on the seeds' gold, on the event groups of ECB+, and how time and memory grow.

python benchmarks/siblings.py [DATA] [--sentences 1000,10000,100000] [--pairs 100]

DATA is the folder of corpora (annotate/training/corpora.py); without it the part on ECB+ is left out.
`--pairs` prints so many aligned pairs of ECB+, drawn with a fixed seed, to be judged by reading.
"""

from __future__ import annotations

import argparse
import itertools
import json
import multiprocessing
import resource
import time
from dataclasses import asdict
from pathlib import Path

import numpy as np

import annotate
from annotate.article import Article, Sentence
from annotate.reading import read, split
from annotate.siblings.compare import compare

SEEDS = Path(__file__).parent.parent / "seeds"
PER_ARTICLE, PER_EVENT = 20, 20


def on_seeds() -> None:
    """Pairs and drifts against `seeds/siblings.jsonl`, whose groups are not exhaustive."""
    articles = [split(article) for article in read([SEEDS])]
    found = compare(articles)
    sentences = {s.id: s for article in articles for s in article}
    by_place = {(s.article_id, s.start, s.end): s.id for s in sentences.values()}
    gold, drifts = set(), []
    for line in (SEEDS / "siblings.jsonl").read_text(encoding="utf-8").splitlines():
        group = json.loads(line)
        members = [by_place[m["source"], m["start"], m["end"]] for m in group["members"]]
        for one, other in itertools.combinations(members, 2):
            if sentences[one].article_id != sentences[other].article_id:
                gold.add(frozenset((one, other)))
        drifts += group["drift"]
    said = {frozenset((i, s.sentence_id)) for i, near in found.items() for s in near.siblings}
    right = len(said & gold)
    print(
        f"seeds, pairs: precision {right / len(said):.3f}, recall {right / len(gold):.3f}, "
        f"F1 {2 * right / (len(said) + len(gold)):.3f}"
    )
    scored = annotate.load().score(SEEDS).set_index("sentence_id").drift
    ways = {
        "without a model": {i: [asdict(d) for d in near.drifts] for i, near in found.items()},
        "read by the model": {
            i: [{**d, "start": d["start"] - s.start, "end": d["end"] - s.start} for d in scored[i] or ()]
            for i, s in sentences.items()
        },
    }
    for way, of_sentence in ways.items():
        shown = [(sentences[i], d) for i, some in of_sentence.items() for d in some]
        hit = [g for g in drifts if any(same_place(g, s, d["start"], d["end"]) for s, d in shown)]
        wrong = [(s, d) for s, d in shown if not any(same_place(g, s, d["start"], d["end"]) for g in drifts)]
        print(f"seeds, drifts {way}: {len(hit)} of {len(drifts)} found, {len(wrong)} further")
        for sentence, d in shown:
            own = sentence.text[d["start"] : d["end"]]
            print(f"  {d['kind']} {d['probability']:.2f}: {own!r}, elsewhere {d['sibling_text']!r}")


def same_place(gold: dict[str, object], sentence: Sentence, start: int, end: int) -> bool:
    """Whether a span of a sentence shares a character with a gold drift."""
    if gold["source"] != sentence.article_id:
        return False
    return bool(gold["start"] < sentence.start + end and sentence.start + start < gold["end"])  # type: ignore[operator]


def on_ecbplus(data: Path, pairs: int) -> None:
    """Event groups (NNecb and NNecbplus are two events of one kind), and aligned pairs to read."""
    import pandas as pd

    rows = pd.read_parquet(data / "siblings_ecbplus" / "test.parquet")
    articles = [
        Article(row.article, f"{row.title or ''}\n{row.text or ''}".strip()) for row in rows.itertuples()
    ]
    event = dict(zip(rows.article, rows.doc_id, strict=True))
    parted = [split(article) for article in articles]
    found = compare(parted)
    sentences = {s.id: s for article in parted for s in article}
    aligned = sorted({tuple(sorted((i, s.sentence_id))) for i, near in found.items() for s in near.siblings})
    same = [event[sentences[a].article_id] == event[sentences[b].article_id] for a, b in aligned]
    topic = [
        event[sentences[a].article_id].removesuffix("plus")
        == event[sentences[b].article_id].removesuffix("plus")
        for a, b in aligned
    ]
    print(
        f"ECB+: {len(aligned)} pairs of sentences aligned among {len(articles)} articles; "
        f"{np.mean(same):.3f} within one event, {np.mean(topic):.3f} within one topic"
    )
    rng = np.random.default_rng(0)
    for n, k in enumerate(sorted(rng.permutation(len(aligned))[:pairs].tolist())):
        a, b = (sentences[i] for i in aligned[k])
        print(f"{n + 1}. [{event[a.article_id]}] {a.text}\n   [{event[b.article_id]}] {b.text}")


def made(sentences: int) -> list[list[Sentence]]:
    """So many sentences in articles of PER_ARTICLE, PER_EVENT of them about one event: from the sentences
    written for training, every article's a little different, so that none is compared once for all."""
    from annotate.training.written import read_written

    pool = sorted({e.text for e in read_written("own_garbles", "train") if 60 < len(e.text) < 250})
    rng = np.random.default_rng(0)
    articles = []
    for event in range(-(-sentences // (PER_ARTICLE * PER_EVENT))):
        of_event = rng.choice(len(pool), 2 * PER_ARTICLE, replace=False)
        for copy in range(PER_EVENT):
            name = f"{event:05d}-{copy:02d}"
            chosen = rng.permutation(of_event)[:PER_ARTICLE]
            text = "\n".join(f"{pool[k][:-1]}, report {event} {copy} says." for k in chosen)
            articles.append(split(Article(name, text)))
    return articles[: sentences // PER_ARTICLE]


def timed(sentences: int, queue: multiprocessing.Queue) -> None:
    """Seconds and peak memory of one comparison, in a process of its own."""
    articles = made(sentences)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    started = time.perf_counter()
    found = compare(articles)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    queue.put((len(articles), time.perf_counter() - started, len(found), before / 1e6, peak / 1e6))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data", nargs="?", type=Path)
    parser.add_argument("--sentences", default="1000,10000")
    parser.add_argument("--pairs", type=int, default=0)
    chosen = parser.parse_args()
    on_seeds()
    if chosen.data:
        on_ecbplus(chosen.data, chosen.pairs)
    context = multiprocessing.get_context("spawn")
    for n in filter(None, chosen.sentences.split(",")):
        queue = context.Queue()
        process = context.Process(target=timed, args=(int(n), queue))
        process.start()
        articles, seconds, found, _, peak = queue.get()
        process.join()
        print(
            f"{n} sentences of {articles} articles: {seconds:.1f} s, {int(n) / seconds:.0f} a second, "
            f"{found} with siblings, peak memory {peak:.2f} GB"
        )


if __name__ == "__main__":
    main()
