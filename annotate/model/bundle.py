"""A model on disk: a folder of config.json, weights.safetensors and README.md, its hashes checked.

What was not trained is not stored again: it comes from the encoder's own files, whose hashes the config
names. Nothing is pickled.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Any

from annotate.errors import UserError
from annotate.model.encoder import EncoderSpec, folder_of, load_encoder, sha256
from annotate.signals import SIGNALS
from annotate.signals.base import Settings

if TYPE_CHECKING:
    from annotate.model.network import Network

CONFIG, WEIGHTS = "config.json", "weights.safetensors"
FORMAT = 1


@dataclass(frozen=True, slots=True)
class Bundle:
    """A loaded model. `id`: 12 hex digits over all that decides a score; `settings` by signal."""

    name: str
    id: str
    folder: Path
    network: Network
    tokenizer: Any
    settings: dict[str, Settings]
    config: dict[str, Any]


def shipped() -> Path:
    """The folder of the model that comes with the package: inside a wheel, or `models/` of a checkout."""
    inside = Path(str(resources.files("annotate"))) / "shipped"
    return inside if inside.is_dir() else inside.parent.parent / "models" / "sixth"


def save_bundle(
    folder: Path,
    network: Network,
    settings: dict[str, Settings],
    *,
    name: str,
    encoder: EncoderSpec,
    training: dict[str, Any],
    figures: dict[str, Any],
    parent: str | None = None,
) -> None:
    """Write a bundle whole or not at all. Trained parameters are kept in half precision.

    Raises:
        UserError: when the folder cannot be written.
    """
    import torch
    from safetensors.torch import save_file

    trained = {n for n, p in network.named_parameters() if p.requires_grad}
    weights = {
        n: p.detach().to(torch.float16).contiguous() for n, p in network.state_dict().items() if n in trained
    }
    partial = folder.with_name(folder.name + ".partial")
    try:
        shutil.rmtree(partial, ignore_errors=True)
        partial.mkdir(parents=True)
        save_file(weights, partial / WEIGHTS)
        (partial / WEIGHTS).chmod(0o644)
        config = {
            "format": FORMAT,
            "name": name,
            "encoder": asdict(encoder),
            "files": {WEIGHTS: sha256(partial / WEIGHTS)},
            "settings": settings,
            "parent": parent,
            "training": training,
            "figures": figures,
        }
        (partial / CONFIG).write_text(
            json.dumps(config, indent=1, ensure_ascii=False) + "\n", encoding="utf-8"
        )
        shutil.rmtree(folder, ignore_errors=True)
        os.replace(partial, folder)
    except OSError as error:
        raise UserError(f"The model could not be written to {folder} ({error.strerror}).") from error


def load_bundle(folder: Path) -> Bundle:
    """The model in a folder, every hash checked and every parameter filled.

    Raises:
        UserError: when the folder is not a bundle, is damaged, or needs an encoder that is not there.
    """
    config = read_whole(folder)
    known = {signal.name: signal for signal in SIGNALS}
    unknown = sorted(set(config["settings"]) - set(known))
    if unknown:
        raise UserError(
            f"The model in {folder} has signals this version does not know: {', '.join(unknown)}; "
            f"known are {', '.join(known)}."
        )
    from annotate.model.network import Network

    encoder, tokenizer = load_encoder(folder_of(EncoderSpec(**config["encoder"])))
    network = Network(encoder, [known[name] for name in known if name in config["settings"]])
    fill(network, folder / WEIGHTS, config["training"].get("recipe", {}).get("frozen", []))
    network.eval()
    return Bundle(config["name"], identity(config), folder, network, tokenizer, config["settings"], config)


def read_whole(folder: Path) -> dict[str, Any]:
    """The config of a bundle whose files all have the hashes it says.

    Raises:
        UserError: when the folder is not a bundle, or a file is missing or damaged.
    """
    config = read_config(folder)
    for name, expected in config["files"].items():
        path = folder / name
        if not path.is_file():
            raise UserError(f"The model folder {folder} lacks {name}; copy the whole folder again.")
        if sha256(path) != expected:
            raise UserError(f"{path} is damaged (its SHA-256 is not the one in {CONFIG}); copy it again.")
    return config


def read_config(folder: Path) -> dict[str, Any]:
    """The config of a bundle.

    Raises:
        UserError: when there is none, or it is not a bundle's.
    """
    path = folder / CONFIG
    if not path.is_file():
        raise UserError(f"{folder} is not a model folder: it has no {CONFIG}.")
    try:
        config = json.loads(path.read_text(encoding="utf-8"))
    except (ValueError, OSError) as error:
        raise UserError(f"{path} cannot be read ({error}); copy the model folder again.") from error
    needed = ("format", "name", "encoder", "files", "settings", "training")
    missing = [key for key in needed if not isinstance(config, dict) or key not in config]
    if missing or config["format"] != FORMAT or WEIGHTS not in config["files"]:
        raise UserError(
            f"{path} is not the config of an annotate model of format {FORMAT}"
            + (f" (it lacks {', '.join(missing)})" if missing else "")
            + "; give a folder that `annotate train` wrote."
        )
    return config


def write_figures(folder: Path, figures: dict[str, Any]) -> None:
    """Replace the figures in a bundle's config; they decide no score, so its identity stays.

    Raises:
        UserError: when the config cannot be read or written.
    """
    config = {**read_config(folder), "figures": figures}
    partial = folder / (CONFIG + ".partial")
    try:
        partial.write_text(json.dumps(config, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
        os.replace(partial, folder / CONFIG)
    except OSError as error:
        raise UserError(f"{folder / CONFIG} could not be written ({error.strerror}).") from error


def identity(config: dict[str, Any]) -> str:
    """12 hex digits of SHA-256 over all that decides a score: encoder, weights, settings."""
    decisive = {key: config[key] for key in ("format", "encoder", "files", "settings")}
    text = json.dumps(decisive, sort_keys=True, ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def fill(network: Network, weights: Path, frozen: Sequence[str]) -> None:
    """Put a bundle's weights into the network: nothing unknown, and everything but the encoder's parameters
    whose names begin with one of `frozen`, which are the encoder's own.

    Raises:
        UserError: when a tensor is missing, of another shape, or belongs to another network.
    """
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    try:
        stored = load_file(weights)
    except (SafetensorError, OSError) as error:
        raise UserError(f"{weights} is not a readable safetensors file ({error}).") from error
    wanted = network.state_dict()
    foreign = [n for n, t in stored.items() if n not in wanted or wanted[n].shape != t.shape]
    own = tuple(f"encoder.{beginning}" for beginning in frozen)
    absent = [n for n in wanted if n not in stored and not n.startswith(own)]
    if foreign or absent:
        raise UserError(
            f"{weights} does not fit this version's network: {len(foreign)} tensors are foreign to it, "
            f"{len(absent)} are missing ({', '.join((foreign + absent)[:3])})."
        )
    network.load_state_dict(stored, strict=False)
