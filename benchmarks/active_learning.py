"""What the order of review is worth: learning curves on gold labels against random order.

The pools are zhen_news21 train (garble) and newsmtsc train (stance), the figures those of their dev splits.
Annotators are simulated: what is picked gets its gold label. The shipped model has seen both pools, so the
encoder here is the untouched one, frozen, under fresh heads of the package; a start set drawn at random
trains the first head, whose uncertainty orders the rest once. Then the head is trained anew on the start set
and the first so many of that order.

OMP_NUM_THREADS=1 python benchmarks/active_learning.py [DATA] [--pool N] [--seeds N]
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from sklearn.metrics import average_precision_score, f1_score
from torch.nn.utils.rnn import pad_sequence

from annotate.model.batch import Batch, collate, tokenize
from annotate.model.encoder import MINILM, folder_of, load_encoder
from annotate.model.network import Network
from annotate.model.precision import fastest
from annotate.ordering import most_useful_first
from annotate.signals.base import Encoded, Example, Signal
from annotate.signals.garble import ANY, GARBLE
from annotate.signals.stance import STANCE, logit_matrix
from annotate.signals.tagger import marked_words
from annotate.training.corpora import load_corpus

HERE = Path(__file__).parent
DATA = HERE.parent.parent / "shared" / "data"
CORPUS = {"garble": "zhen_news21", "stance": "newsmtsc"}
SIGNAL: dict[str, Signal] = {"garble": GARBLE, "stance": STANCE}
FIGURE = {"garble": "average precision of marked words", "stance": "macro-F1"}
START = 200
BUDGETS = (50, 100, 200, 400, 800)
EPOCHS, LEAST_STEPS, BATCH, RATE = 10, 100, 32, 1e-3

Order = Callable[[list[str], np.ndarray, np.random.Generator], np.ndarray]
ORDERS: dict[str, Order] = {
    "random": lambda texts, doubts, rng: rng.permutation(len(texts)),
    "uncertainty": lambda texts, doubts, rng: np.argsort(-doubts, kind="stable"),
    "diversity": lambda texts, doubts, rng: most_useful_first(texts, np.ones(len(texts))),
    "both": lambda texts, doubts, rng: most_useful_first(texts, doubts),
}
COLOURS = {"random": "#000000", "uncertainty": "#E69F00", "diversity": "#56B4E9", "both": "#D55E00"}
MARKS = {"random": "o", "uncertainty": "s", "diversity": "^", "both": "D"}


class Encoding:
    """Examples of one signal with what the frozen encoder makes of their words."""

    def __init__(self, network: Network, tokenizer: Any, signal: Signal, examples: Sequence[Example]) -> None:
        self.signal, self.examples = signal, list(examples)
        self.sentences = [signal.sentence(example) for example in examples]
        self.tokens = tokenize(tokenizer, [example.text for example in examples], 128)
        self.words: list[torch.Tensor] = [torch.empty(0)] * len(self.tokens)
        order = sorted(range(len(self.tokens)), key=lambda i: len(self.tokens[i].ids))
        self.offsets: list[list[tuple[int, int]]] = [[]] * len(self.tokens)
        with torch.inference_mode():
            for rows in np.array_split(order, -(-len(order) // BATCH)):
                batch = collate([self.tokens[i] for i in rows], 0)
                found = network.encode(batch).words
                for n, i in enumerate(rows):
                    self.offsets[i] = batch.words[n]
                    self.words[i] = found[n, : len(batch.words[n])].half()

    def through(self, head: Any, rows: Sequence[int]) -> tuple[Any, Batch]:
        """The head's output for some rows; the batch holds what heads read of one, and no tokens."""
        words = pad_sequence([self.words[i] for i in rows], batch_first=True).float()
        mask = pad_sequence([torch.ones(len(self.words[i])) for i in rows], batch_first=True)
        none = torch.empty(0)
        batch = Batch(none, none, mask.unsqueeze(2), [self.offsets[i] for i in rows])
        inputs = self.signal.inputs([self.sentences[i] for i in rows], batch)
        return head(Encoded(words, mask > 0), **inputs), batch


def trained(pool: Encoding, rows: np.ndarray, corpus: str, seed: int) -> Any:
    """A fresh head after training on some rows of the pool."""
    torch.manual_seed(seed)
    rng = np.random.default_rng(seed)
    head = pool.signal.head(pool.words[0].shape[1])
    optimizer = torch.optim.AdamW(head.parameters(), lr=RATE, weight_decay=0.01)
    steps = max(LEAST_STEPS, EPOCHS * -(-len(rows) // BATCH))
    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: 1 - step / steps)
    batches: list[np.ndarray] = []
    for _ in range(steps):
        batches = batches or np.array_split(rng.permutation(rows), -(-len(rows) // BATCH))
        chosen = batches.pop()
        out, batch = pool.through(head, chosen)
        loss = pool.signal.loss(out, [pool.examples[i] for i in chosen], batch, corpus)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        schedule.step()
    return head.eval()


def scores(head: Any, of: Encoding, rows: np.ndarray) -> list[Any]:
    """What the head says about some rows, in their order."""
    found: dict[int, Any] = {}
    with torch.inference_mode():
        for some in np.array_split(sorted(rows, key=lambda i: len(of.tokens[i].ids)), -(-len(rows) // 64)):
            out, batch = of.through(head, some)
            said = of.signal.scores(out, batch, [of.sentences[i] for i in some])
            found.update(zip(some.tolist(), said, strict=True))
    return [found[i] for i in rows.tolist()]


def figure(head: Any, dev: Encoding) -> float:
    said = scores(head, dev, np.arange(len(dev.examples)))
    if dev.signal is STANCE:
        truth = [example.label for example in dev.examples]
        return float(f1_score(truth, logit_matrix(said).argmax(1), average="macro"))
    marked = [marked_words(s["offsets"], e, ANY) > 0 for s, e in zip(said, dev.examples, strict=True)]
    return float(
        average_precision_score(np.concatenate(marked), np.concatenate([s["words"][:, ANY] for s in said]))
    )


def doubts(head: Any, pool: Encoding, start: np.ndarray, rest: np.ndarray, corpus: str) -> np.ndarray:
    """The signal's own uncertainty about the rest of the pool, its settings tuned on the start set."""
    examples = [pool.examples[i] for i in start]
    settings = pool.signal.tune({corpus: (scores(head, pool, start), examples)})
    return np.array(
        [
            pool.signal.uncertainty(pool.signal.decode(said, pool.sentences[i], settings))
            for i, said in zip(rest, scores(head, pool, rest), strict=True)
        ]
    )


def once_each(examples: Sequence[Example], n: int) -> list[Example]:
    """So many at random, each text once: a task is a sentence, whatever it names."""
    first = list({example.text: example for example in examples}.values())
    chosen = np.random.default_rng(0).permutation(len(first))[:n]
    return [first[i] for i in sorted(chosen)]


def curves(name: str, data: Path, network: Network, tokenizer: Any, n: int, seeds: int) -> dict[str, Any]:
    """Per order an array [seeds, budgets], and under `start` the figures before any of it."""
    corpus, signal = CORPUS[name], SIGNAL[name]
    pool = Encoding(network, tokenizer, signal, once_each(load_corpus(data, corpus, "train"), n))
    dev = Encoding(network, tokenizer, signal, load_corpus(data, corpus, "dev"))
    found: dict[str, Any] = {order: np.zeros((seeds, len(BUDGETS))) for order in ORDERS}
    found |= {"start": np.zeros(seeds), "pool": len(pool.examples), "dev": len(dev.examples)}
    for seed in range(seeds):
        rng = np.random.default_rng([seed, 1])
        shuffled = rng.permutation(len(pool.examples))
        start, rest = shuffled[:START], np.sort(shuffled[START:])
        head = trained(pool, start, corpus, seed)
        found["start"][seed] = figure(head, dev)
        unsure = doubts(head, pool, start, rest, corpus)
        texts = [pool.examples[i].text for i in rest]
        for order, rank in ORDERS.items():
            ranked = rest[rank(texts, unsure, rng)]
            for k, budget in enumerate(BUDGETS):
                head = trained(pool, np.concatenate([start, ranked[:budget]]), corpus, seed)
                found[order][seed, k] = figure(head, dev)
        print(f"{name}, seed {seed + 1} of {seeds}", flush=True)
    return found


def table(name: str, found: dict[str, Any]) -> str:
    """Means over seeds; behind them the mean gain over random order and its standard error, seeds paired."""
    lines = [
        f"## {name.capitalize()}: {CORPUS[name]}, {FIGURE[name]} on dev\n",
        f"Pool of {found['pool']:,} sentences, dev of {found['dev']:,}; "
        f"{found['start'].mean():.3f} before.\n",
        "| order | " + " | ".join(f"{budget}" for budget in BUDGETS) + " | mean gain |",
        "|---" * (len(BUDGETS) + 2) + "|",
    ]
    for order in ORDERS:
        gain = found[order] - found["random"]
        cells = [f"{mean:.3f}" for mean in found[order].mean(0)]
        if order != "random":
            cells = [f"{cell} ({told(gain[:, k])})" for k, cell in enumerate(cells)]
        lines.append(
            f"| {order} | " + " | ".join(cells) + f" | {told(gain.mean(1)) if order != 'random' else ''} |"
        )
    return "\n".join(lines) + "\n"


def told(gains: np.ndarray) -> str:
    error = gains.std(ddof=1) / np.sqrt(len(gains)) if len(gains) > 1 else float("nan")
    return f"{gains.mean():+.3f} ± {error:.3f}"


def draw(found: dict[str, dict[str, Any]], path: Path) -> None:
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    matplotlib.rcParams["svg.hashsalt"] = "annotate"
    shown, axes = pyplot.subplots(1, len(found), figsize=(9, 3.6), constrained_layout=True)
    for axis, (name, of) in zip(np.atleast_1d(axes), found.items(), strict=True):
        for order in ORDERS:
            mean = [of["start"].mean(), *of[order].mean(0)]
            axis.plot([0, *BUDGETS], mean, color=COLOURS[order], marker=MARKS[order], ms=4, label=order)
        axis.set(
            xlabel=f"sentences labelled after the first {START}", ylabel=FIGURE[name], title=CORPUS[name]
        )
        axis.set_xscale("symlog", linthresh=50)
        axis.set_xticks([0, *BUDGETS], [str(b) for b in (0, *BUDGETS)])
    np.atleast_1d(axes)[0].legend(frameon=False)
    shown.savefig(path, metadata={"Date": None})


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data", nargs="?", type=Path, default=DATA)
    parser.add_argument("--pool", type=int, default=3000)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--out", type=Path, default=HERE / "active_learning.md")
    asked = parser.parse_args()
    torch.set_num_threads(1)
    began = time.monotonic()
    encoder, tokenizer = load_encoder(folder_of(MINILM))
    network = Network(encoder, [])
    network.halved = fastest() == "bfloat16"
    found = {name: curves(name, asked.data, network, tokenizer, asked.pool, asked.seeds) for name in CORPUS}
    text = "\n".join(table(name, of) for name, of in found.items())
    print(text)
    took = (time.monotonic() - began) / 60
    image = asked.out.with_suffix(".svg")
    draw(found, image)
    asked.out.write_text(
        "# What the order of review is worth\n\n"
        "Written by `python benchmarks/active_learning.py`; do not edit.\n\n"
        f"Means over {asked.seeds} seeds, each with a start set of {START} sentences and its own random "
        "order; columns are sentences labelled after those. In brackets the gain over random order and "
        "its standard error, seeds paired. Encoder untouched and frozen, heads fresh, the order made once "
        f"from the first head. {took:.0f} minutes on one thread.\n\n{text}\n"
        f"![Learning curves]({image.name})\n",
        encoding="utf-8",
    )


if __name__ == "__main__":
    main()
