"""The model card, written from what training measured and kept in the bundle's config."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from annotate.model.bundle import WEIGHTS, identity, read_config

CARD = "README.md"


def write_card(folder: Path) -> None:
    """Write README.md into a bundle from its config."""
    (folder / CARD).write_text(card(read_config(folder), folder), encoding="utf-8")


def card(config: dict[str, Any], folder: Path) -> str:
    """The card's text."""
    training = config["training"]
    recipe = training["recipe"]
    size = (folder / WEIGHTS).stat().st_size / 1e6
    lines = [
        f"# {config['name']}-{identity(config)}",
        "",
        "<!-- Written by annotate.training.card from config.json; do not edit. -->",
        "",
        "Scores English news sentences for five signals: stance toward named targets, attribution, hedging,",
        "loaded language, and garble (what went wrong in translation, from the translation alone). Meant to",
        "pre-annotate sentences that people then review; not to judge a person, an outlet or a translator",
        "without review. Non-native but correct English is not an error, yet the model may mark it as one.",
        "",
        "## Made from",
        "",
        f"- Encoder: `{config['encoder']['name']}`"
        + (f" at revision `{config['encoder']['revision']}`" if config["encoder"]["revision"] else ""),
        f"- Weights: {size:.1f} MB in half precision, without what stays as in the encoder "
        f"({', '.join(f'`{name}*`' for name in recipe['frozen'])})",
        f"- Training: {recipe['steps']} steps of {recipe['batch_size']} sentences, seed {recipe['seed']}; "
        f"the step with the best dev figures was {training['step']}",
        "- Reproduce: `annotate train models/recipe.yaml --data FOLDER`",
        "",
        "| corpus | rows | share of batches | licence, word for word | citation |",
        "|---|---|---|---|---|",
    ]
    for source in training["sources"]:
        name = source["name"]
        linked = f"[{name}]({source['url']})" if source["url"] else name
        share = training["batches"].get(name, 0) / recipe["steps"]
        lines.append(
            f"| {linked} | {training['rows'][name]} | {share:.0%} "
            f"| {cell(source['licence'])} | {cell(source['citation'])} |"
        )
    lines += [
        "",
        "## Measured on the dev splits",
        "",
        "Thresholds and calibration were chosen on these same dev splits, so these figures flatter; test",
        "splits were not touched.",
        "",
        "| corpus | figure | value | n |",
        "|---|---|---|---|",
    ]
    for corpus, figures in config["figures"]["dev"].items():
        for figure in figures:
            lines.append(f"| {corpus} | {figure['metric']} | {figure['value']:.3f} | {figure['n']} |")
    lines += ["", "## Settings", "", "| signal | setting | value |", "|---|---|---|"]
    for signal, settings in config["settings"].items():
        lines += [f"| {signal} | {key} | {value:.3f} |" for key, value in settings.items()]
    return "\n".join(lines) + "\n"


def cell(text: str) -> str:
    """Text that fits a table's cell."""
    return " ".join(text.split()).replace("|", "\\|")
