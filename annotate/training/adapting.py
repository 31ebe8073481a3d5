"""Adapting the encoder: it reads the corpora's own clean text before it is taught anything (Gururangan et al.
2020, Don't Stop Pretraining).

First it guesses words that are hidden (Devlin et al. 2019). Then it finds out words that were put in, each
drawn from what it would have guessed itself (Clark et al. 2020, ELECTRA): they fit, and are wrong. Sentence
encoders are made to tell what a sentence is about; this gives them back what a single word does in it.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from annotate.errors import UserError
from annotate.model.batch import padded_length, tokenize
from annotate.model.encoder import folder_of, load_encoder
from annotate.model.precision import device
from annotate.training import processes
from annotate.training.corpora import clean_texts
from annotate.training.recipe import Adaptation, Recipe
from annotate.training.steps import (
    Progress,
    claim,
    mask_of,
    note,
    of_like_length,
    optimizers,
    resume,
    save,
    state_of,
)

HIDDEN = 0.2
"""The share of tokens that are guessed or put in."""
POOL = 40
"""Batches whose sentences are sorted by length together."""


class Learner(nn.Module):
    """An encoder with an output on top, where `annotate.model.precision.device` says."""

    def __init__(self, encoder: Any, heads: nn.Module) -> None:
        super().__init__()
        self.encoder, self.heads = encoder, heads
        self.to(device())

    @property
    def device(self) -> torch.device:
        """Where it is."""
        return device()


class Guesser(Learner):
    """What guesses a hidden token from its vector, over the encoder's own word vectors."""

    def __init__(self, encoder: Any) -> None:
        width = encoder.config.hidden_size
        heads = nn.Sequential(nn.Linear(width, width), nn.GELU(), nn.LayerNorm(width))
        bias = torch.zeros(len(encoder.get_input_embeddings().weight))
        heads.register_parameter("bias", nn.Parameter(bias))
        super().__init__(encoder, heads)

    def forward(self, ids: Tensor, attention: Tensor, where: Tensor) -> Tensor:
        """Logits over the vocabulary for the tokens where it is true: [tokens, vocabulary]."""
        hidden = self.encoder(input_ids=ids, attention_mask=attention).last_hidden_state[where]
        words = self.encoder.get_input_embeddings().weight
        logits: Tensor = self.heads(hidden) @ words.T + self.heads.bias
        return logits


class Finder(Learner):
    """What tells a token that was put in from its vector."""

    def __init__(self, encoder: Any) -> None:
        width = encoder.config.hidden_size
        super().__init__(encoder, nn.Sequential(nn.Linear(width, width), nn.GELU(), nn.Linear(width, 1)))

    def forward(self, ids: Tensor, attention: Tensor) -> Tensor:
        """Log-odds for each token: [B, T]."""
        logits: Tensor = self.heads(self.encoder(input_ids=ids, attention_mask=attention).last_hidden_state)
        return logits.squeeze(2)


class Text:
    """Tokenised sentences, in batches of like length."""

    def __init__(self, texts: Sequence[str], tokenizer: Any, asked: Adaptation, limit: int) -> None:
        encodings = tokenize(tokenizer, texts, limit)
        self.ids = [np.array(encoding.ids) for encoding in encodings]
        self.special = {
            i for e in encodings[:1] for i, s in zip(e.ids, e.special_tokens_mask, strict=True) if s
        }
        self.mask = mask_of(tokenizer)
        self.vocabulary = tokenizer.get_vocab_size()
        self.size = asked.batch_size

    def batches(self, seed: int) -> Iterator[np.ndarray]:
        """Row numbers of batch after batch, without end; the same for the same seed."""
        lengths = np.array([len(ids) for ids in self.ids])
        epoch = 0
        while True:
            yield from of_like_length(lengths, self.size, POOL, np.random.default_rng([seed, epoch]))
            epoch += 1

    def tensors(self, rows: np.ndarray, pad: int) -> tuple[Tensor, Tensor, Tensor]:
        """Of a batch the tokens and the attention mask, [B, T] each, and where a token is chosen."""
        some = [self.ids[i] for i in rows]
        length = padded_length(max(map(len, some)))
        ids = np.full((len(some), length), pad)
        attention = np.zeros((len(some), length), dtype=np.int64)
        for i, one in enumerate(some):
            ids[i, : len(one)] = one
            attention[i, : len(one)] = 1
        free = attention.astype(bool) & ~np.isin(ids, list(self.special))
        found, there, open_ = (torch.from_numpy(a).to(device()) for a in (ids, attention, free))
        return found, there, open_ & (torch.rand(ids.shape, device=device()) < HIDDEN)


def adapted(recipe: Recipe, data: Path, run: Path, progress: Progress) -> dict[str, Tensor] | None:
    """The encoder's weights after the recipe's `adapt`, by their names in a network; None where it asks for
    none. Called again after a cut it goes on from its last checkpoint in `run`. Of several processes each
    does all of it, alike.

    Raises:
        UserError: for a corpus or encoder that cannot be had, or a disk that is full.
    """
    asked = recipe.adapt
    if asked is None:
        return None
    path = run / "encoder.pt"
    run.mkdir(parents=True, exist_ok=True)
    claim(run, alone(recipe, asked))
    if not path.is_file():
        encoder, tokenizer = load_encoder(folder_of(recipe.encoder))
        for name, parameter in encoder.named_parameters():
            parameter.requires_grad_(not name.startswith(tuple(recipe.frozen)))
        texts = clean_texts(data, asked.corpora, "train")
        if not texts:
            raise UserError(
                f"There is no clean sentence to adapt to in {', '.join(asked.corpora)} under {data}; "
                "name other corpora under `adapt`."
            )
        text = Text(texts, tokenizer, asked, recipe.limit)
        torch.manual_seed(recipe.seed)
        guesser = Guesser(encoder)
        read(guesser, text, recipe, asked.masked, run / "masked", progress, guess)
        torch.manual_seed(recipe.seed)
        finder = Finder(copy.deepcopy(encoder))
        guesser.eval()

        def find(network: nn.Module, ids: Tensor, there: Tensor, where: Tensor, text: Text) -> Tensor:
            return found_out(network, guesser, ids, there, where, text)

        read(finder, text, recipe, asked.replaced, run / "replaced", progress, find)
        processes.wait()
        save(path, {name: t.cpu() for name, t in finder.state_dict().items() if name.startswith("encoder.")})
        processes.wait()
    weights: dict[str, Tensor] = torch.load(path, weights_only=True, map_location="cpu")
    return weights


def alone(recipe: Recipe, asked: Adaptation) -> Recipe:
    """What decides the adapted encoder: the rest of the recipe may change without it."""
    return Recipe(
        recipe.name,
        dict.fromkeys(asked.corpora, 1.0),
        encoder=recipe.encoder,
        seeds=recipe.seeds[:1],
        limit=recipe.limit,
        precision=recipe.precision,
        frozen=recipe.frozen,
        weight_decay=recipe.weight_decay,
        warmup=recipe.warmup,
        adapt=asked,
    )


def read(
    network: Any, text: Text, recipe: Recipe, steps: int, run: Path, progress: Progress, loss_of: Any
) -> None:
    """So many batches, from the run's last checkpoint on."""
    assert recipe.adapt is not None
    run.mkdir(parents=True, exist_ok=True)
    schedule_of = replace(
        recipe, steps=max(1, steps), learning_rate=recipe.adapt.learning_rate, head_learning_rate=1e-3
    )
    optimizer, schedule = optimizers(network, schedule_of)
    done, _ = resume(run, network, optimizer, schedule)
    batches = text.batches(recipe.seed)
    for _ in range(done):
        next(batches)
    network.train()
    mean = 0.0
    pad = network.encoder.config.pad_token_id or 0
    for step in range(done, steps):
        torch.manual_seed(1_000_003 * recipe.seed + step)
        ids, there, where = text.tensors(next(batches), pad)
        with torch.autocast(device().type, torch.bfloat16, enabled=recipe.precision == "bfloat16"):
            loss = loss_of(network, ids, there, where, text)
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_([p for p in network.parameters() if p.grad is not None], 1.0)
        optimizer.step()
        schedule.step()
        if step % 20 == 0:
            mean += (0.1 if step else 1.0) * (float(loss.detach()) - mean)
            progress(step + 1, steps, f"{run.name} words {mean:.3f}")
        if (step + 1) % recipe.checkpoint_every == 0 or step + 1 == steps:
            save(run / "checkpoint.pt", state_of(network, optimizer, schedule, step + 1, best=0.0))
    note(run, {"step": steps, "loss": mean, "sentences": len(text.ids)})


def guess(network: nn.Module, ids: Tensor, there: Tensor, where: Tensor, text: Text) -> Tensor:
    """The cross-entropy of guessing; of the tokens that are guessed four fifths are hidden, a tenth
    is another at random."""
    how = torch.rand(ids.shape, device=ids.device)
    shown = torch.where(where & (how < 0.8), text.mask, ids)
    other = torch.randint(text.vocabulary, ids.shape, device=ids.device)
    shown = torch.where(where & (how > 0.9), other, shown)
    return F.cross_entropy(network(shown, there, where).float(), ids[where])


def found_out(
    network: nn.Module, guesser: nn.Module, ids: Tensor, there: Tensor, where: Tensor, text: Text
) -> Tensor:
    """The cross-entropy of telling the tokens that were put in from the others."""
    with torch.no_grad():
        logits = guesser(torch.where(where, text.mask, ids), there, where).float()
        drawn = torch.distributions.Categorical(logits=logits).sample()
    shown = ids.clone()
    shown[where] = drawn
    logits = network(shown, there).float()
    losses = F.binary_cross_entropy_with_logits(logits, (shown != ids).float(), reduction="none")
    return (losses * there).sum() / there.sum()
