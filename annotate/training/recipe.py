"""A recipe: one YAML file that says how a model is made."""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

import numpy as np
import yaml

from annotate.errors import UserError
from annotate.model.encoder import MINILM, EncoderSpec

INHERITED = (
    "encoder",
    "batch_size",
    "limit",
    "precision",
    "learning_rate",
    "head_learning_rate",
    "weight_decay",
    "warmup",
    "frozen",
    "checkpoint_every",
    "dev_rows",
)
"""What a recipe within a recipe takes over from it."""


@dataclass(frozen=True, slots=True)
class Adaptation:
    """How the encoder reads clean text before it is taught (`training.adapting`).

    corpora: whose sentences it reads; masked: batches in which it guesses hidden words; replaced: batches
    after them in which it finds out words that were put in.
    """

    corpora: list[str]
    masked: int = 6000
    replaced: int = 6000
    batch_size: int = 128
    learning_rate: float = 3e-4


@dataclass(frozen=True, slots=True)
class Recipe:
    """How a model is trained.

    corpora: sampling weight of each corpus, the share of batches it gets; `finish` the weights from step
    `finish_from` on, for what is only wanted, or wanted more, at the end;
    steps: batches in all, each of `batch_size` sentences of one corpus, cut at `limit` tokens;
    seeds: one run for each, of which the one with the best mean dev figure (`fit.headline`) is taken, or the
    average of all where that is better still;
    masked: per corpus, the share of unlabelled tokens hidden from the encoder at random, so that a small
    corpus is not learned by heart;
    precision: `float32`, or `bfloat16` for the encoder's passes in training, which pays where the processor
    multiplies it faster; what is measured and shipped is always float32;
    learning_rate: of the encoder; `head_learning_rate` of the heads; both rise over the first `warmup`
    share of the steps, then fall to zero in a straight line;
    adapt: what the encoder reads before it, and its teachers, are taught;
    teachers: recipes of models of one signal each, whose beliefs teach this one (`training.teachers`); they
    inherit what they do not say and INHERITED names;
    live: of a teacher, whether it is asked at each step about the very batch that the student sees (Beyer et
    al. 2022, Knowledge distillation: A good teacher is patient and consistent), not once about each row; such
    a teacher needs its pass at each step, and may judge sentences that nobody wrote: `exchanged` is the share
    of words that every other such batch has exchanged for words like them (`training.exchanging`), and
    `vectors` the weight of holding the student's vectors of words to theirs (`training.panel.Views`);
    marked: of a teacher of stance, whether it reads each target between two signs, which tells it apart at
    the price of a pass for each target;
    then: a recipe that goes on from what this one came to, by labels alone or with teachers of its own; it
    inherits what it does not say;
    frozen: beginnings of names of encoder parameters that are not trained;
    average: steps whose weights are averaged into one more candidate (Izmailov et al. 2018);
    average_with: model folders beside the recipe, of the same encoder and signals; the average of the last
    step with each is one more candidate (Wortsman et al. 2022, Model soups);
    evaluate_every, checkpoint_every: steps; dev_rows: rows of each dev set for the choice among steps.
    """

    name: str
    corpora: dict[str, float]
    finish: dict[str, float] = field(default_factory=dict)
    finish_from: int = 0
    encoder: EncoderSpec = MINILM
    seeds: list[int] = field(default_factory=lambda: [1])
    steps: int = 3000
    batch_size: int = 32
    limit: int = 128
    masked: dict[str, float] = field(default_factory=dict)
    precision: str = "float32"
    learning_rate: float = 1e-4
    head_learning_rate: float = 1e-3
    weight_decay: float = 0.01
    warmup: float = 0.06
    frozen: list[str] = field(default_factory=lambda: ["embeddings."])
    adapt: Adaptation | None = None
    teachers: list[Recipe] = field(default_factory=list)
    live: bool = False
    exchanged: float = 0.0
    vectors: float = 0.0
    marked: bool = False
    then: Recipe | None = None
    average: list[int] = field(default_factory=list)
    average_with: list[str] = field(default_factory=list)
    evaluate_every: int = 500
    checkpoint_every: int = 100
    dev_rows: int = 400

    @property
    def seed(self) -> int:
        """Of a run: the first."""
        return self.seeds[0]

    @property
    def stages(self) -> list[Recipe]:
        """This recipe and those that go on from it, in their order."""
        return [self, *(self.then.stages if self.then else [])]

    def all_corpora(self) -> list[str]:
        """Every corpus of the recipe, each once."""
        return list(dict.fromkeys([*self.corpora, *self.finish]))

    def plan(self) -> list[str]:
        """The corpus that each step's batch is drawn from; the same for the same recipe."""
        drawn = draw(self.corpora, self.steps, self.seed)
        if self.finish:
            drawn[self.finish_from :] = draw(self.finish, self.steps, self.seed + 1)[self.finish_from :]
        return drawn


def draw(weights: dict[str, float], n: int, seed: int) -> list[str]:
    """So many corpora by their weights."""
    names = list(weights)
    share = np.array([weights[name] for name in names], dtype=float)
    return [names[i] for i in np.random.default_rng(seed).choice(len(names), n, p=share / share.sum())]


def load_recipe(path: Path) -> Recipe:
    """The recipe in a YAML file.

    Raises:
        UserError: when the file is missing or malformed, or names an unknown key or corpus.
    """
    try:
        raw: Any = yaml.safe_load(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise UserError(
            f"The recipe {path} cannot be read ({error.strerror}); give the path of a YAML file."
        ) from error
    except yaml.YAMLError as error:
        raise UserError(f"The recipe {path} is not valid YAML: {' '.join(str(error).split())}") from error
    return checked(raw, str(path))


def checked(raw: Any, path: str) -> Recipe:
    """A recipe of what a YAML file says; `path` names it in errors.

    Raises:
        UserError: when it is malformed, or names an unknown key or corpus.
    """
    from annotate.training.corpora import SIGNAL_OF

    if not isinstance(raw, dict):
        raise UserError(f"The recipe {path} must be a mapping of keys such as `name`, `corpora` and `steps`.")
    known = {f.name: f for f in fields(Recipe)}
    for key in raw:
        if key not in known:
            raise UserError(f"The recipe {path} has an unknown key `{key}`; the keys are {', '.join(known)}.")
    for key in ("name", "corpora"):
        if key not in raw:
            raise UserError(f"The recipe {path} lacks `{key}`.")
    for key in ("corpora", "finish", "masked"):
        if key in raw and (not isinstance(raw[key], dict) or not raw[key]):
            raise UserError(f"`{key}` in the recipe {path} must map corpus names to numbers.")
    given = (raw["corpora"], raw.get("finish", {}), raw.get("masked", {}))
    for key in ("marked", "live"):
        if not isinstance(raw.get(key, False), bool):
            raise UserError(f"`{key}` in the recipe {path} must be true or false.")
    for corpus, weight in (pair for numbers in given for pair in numbers.items()):
        if corpus not in SIGNAL_OF:
            raise UserError(
                f"The recipe {path} names an unknown corpus `{corpus}`; known are {', '.join(SIGNAL_OF)}."
            )
        if not isinstance(weight, int | float) or weight <= 0:
            raise UserError(f"The number of corpus `{corpus}` in the recipe {path} must be above 0.")
    if isinstance(raw.get("encoder"), dict):
        raw["encoder"] = EncoderSpec(**raw["encoder"])
    elif isinstance(raw.get("encoder"), str):
        raw["encoder"] = MINILM if raw["encoder"] == MINILM.name else EncoderSpec(raw["encoder"])
    for key in ("learning_rate", "head_learning_rate", "weight_decay", "warmup", "exchanged", "vectors"):
        if key in raw:
            try:
                raw[key] = float(raw[key])
            except (TypeError, ValueError) as error:
                raise UserError(
                    f"`{key}` in the recipe {path} must be a number, not {raw[key]!r}."
                ) from error
    for key in (
        "steps",
        "finish_from",
        "batch_size",
        "limit",
        "evaluate_every",
        "checkpoint_every",
        "dev_rows",
    ):
        if key in raw and (not isinstance(raw[key], int) or raw[key] < 1):
            raise UserError(f"`{key}` in the recipe {path} must be a whole number above 0, not {raw[key]!r}.")
    if raw.get("precision", "float32") not in ("float32", "bfloat16"):
        raise UserError(f"`precision` in the recipe {path} must be float32 or bfloat16.")
    if not 0 <= raw.get("exchanged", 0.0) <= 1:
        raise UserError(f"`exchanged` in the recipe {path} must lie between 0 and 1.")
    if raw.get("vectors", 0.0) < 0:
        raise UserError(f"`vectors` in the recipe {path} must not be below 0.")
    seeds = raw.get("seeds", [1])
    if not isinstance(seeds, list) or not seeds or not all(isinstance(s, int) and s >= 0 for s in seeds):
        raise UserError(f"`seeds` in the recipe {path} must be a list of whole numbers, not {seeds!r}.")
    average = raw.get("average", [])
    if not isinstance(average, list) or not all(
        isinstance(step, int) and 0 < step <= raw.get("steps", known["steps"].default) for step in average
    ):
        raise UserError(f"`average` in the recipe {path} must be a list of steps, not {average!r}.")
    others = raw.get("average_with", [])
    if not isinstance(others, list) or not all(isinstance(folder, str) for folder in others):
        raise UserError(f"`average_with` in the recipe {path} must be a list of folders, not {others!r}.")
    if "adapt" in raw:
        raw["adapt"] = adaptation(raw["adapt"], path)
    teachers = raw.get("teachers", [])
    if not isinstance(teachers, list) or not all(isinstance(one, dict) for one in teachers):
        raise UserError(f"`teachers` in the recipe {path} must be a list of recipes.")
    mine = {key: raw[key] for key in INHERITED if key in raw}
    raw["teachers"] = [checked(mine | one, f"{path}, teacher {n}") for n, one in enumerate(teachers, 1)]
    if "then" in raw:
        if not isinstance(raw["then"], dict):
            raise UserError(f"`then` in the recipe {path} must be a recipe.")
        also = {key: raw[key] for key in ("name", "masked") if key in raw}
        raw["then"] = checked(mine | also | raw["then"], f"{path}, then")
    recipe = Recipe(**raw)
    if recipe.then and recipe.then.encoder != recipe.encoder:
        raise UserError(f"`then` in the recipe {path} goes on with the same encoder; name no other.")
    if recipe.finish and not 0 < recipe.finish_from < recipe.steps:
        raise UserError(f"`finish_from` in the recipe {path} must lie between 0 and `steps`.")
    return recipe


def adaptation(raw: Any, path: str) -> Adaptation:
    """What a recipe says of `adapt`.

    Raises:
        UserError: when it is malformed.
    """
    from annotate.training.corpora import READERS

    known = [f.name for f in fields(Adaptation)]
    if not isinstance(raw, dict) or not set(raw) <= set(known) or not isinstance(raw.get("corpora"), list):
        raise UserError(
            f"`adapt` in the recipe {path} must have `corpora`, and may have {', '.join(known[1:])}."
        )
    for corpus in raw["corpora"]:
        if corpus not in READERS:
            raise UserError(
                f"`adapt` in the recipe {path} names an unknown corpus `{corpus}`; "
                f"known are {', '.join(READERS)}."
            )
    for key in ("masked", "replaced", "batch_size"):
        if key in raw and (not isinstance(raw[key], int) or raw[key] < 1):
            raise UserError(f"`{key}` of `adapt` in the recipe {path} must be a whole number above 0.")
    try:
        return Adaptation(**raw | {"learning_rate": float(raw.get("learning_rate", 3e-4))})
    except (TypeError, ValueError) as error:
        raise UserError(f"`learning_rate` of `adapt` in the recipe {path} must be a number.") from error
