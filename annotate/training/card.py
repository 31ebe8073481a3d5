"""The model card, written from what was measured and is kept in the bundle's config."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from annotate.model.bundle import WEIGHTS, identity, read_config, write_figures

CARD, PLOT = "README.md", "calibration.svg"


def write_card(folder: Path, figures: dict[str, Any]) -> None:
    """Keep figures (as `annotate.training.assessment` gives them) in a bundle's config, draw its calibration,
    and write its README.md."""
    write_figures(folder, figures)
    config = read_config(folder)
    if figures.get("calibration"):
        draw_calibration(figures["calibration"], folder / PLOT)
    (folder / CARD).write_text(card(config, folder), encoding="utf-8")


def card(config: dict[str, Any], folder: Path) -> str:
    """The card's text."""
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
        *made_from(config, size),
        *measured(config["figures"]),
        *alarms(config["figures"].get("alarms")),
        *calibration(config["figures"].get("calibration")),
        *failures(config["figures"].get("probes")),
        *speed(config["figures"].get("speed")),
        *settings(config["settings"]),
    ]
    return "\n".join(lines) + "\n"


def made_from(config: dict[str, Any], size: float) -> Iterator[str]:
    """Encoder, training and corpora."""
    training = config["training"]
    recipe = training["recipe"]
    revision = config["encoder"]["revision"]
    yield from ("", "## Made from", "")
    yield f"- Encoder: `{config['encoder']['name']}`" + (f" at revision `{revision}`" if revision else "")
    yield (
        f"- Weights: {size:.1f} MB in half precision, without what stays as in the encoder "
        f"({', '.join(f'`{name}*`' for name in recipe['frozen'])})"
    )
    if adapt := recipe.get("adapt"):
        yield (
            f"- Adapted to the clean text of {', '.join(adapt['corpora'])}: {adapt['masked']} batches of "
            f"{adapt['batch_size']} sentences with words hidden, {adapt['replaced']} with words put in"
        )
    stages = stages_of(recipe)
    for n, stage in enumerate(stages):
        line = f"- Stage {n + 1} of {len(stages)}" if len(stages) > 1 else "- Training"
        line += f": {stage['steps']} steps of {stage['batch_size']} sentences"
        if n < len(training.get("stages", ())):
            chosen = training["stages"][n]
            line += (
                f". Chosen by the mean dev figure: {chosen['chosen']} ({listed(chosen['candidates'])}), "
                f"seed {chosen['seed']} ({listed(chosen['seeds'])})"
            )
        yield line
        if teachers := stage.get("teachers"):
            named = ", ".join(
                f"{t['name']} ({len(t['seeds'])} of {t['steps']} steps{larger(t, config)})" for t in teachers
            )
            yield f"  - Taught by models of one signal each: {named}; labels weigh ever more beside them"
            if any(t.get("live") for t in teachers):
                yield (
                    "  - They judge each batch as it comes; in every other one words are exchanged for words "
                    f"like them (about {stage['exchanged']:.0%}), and only what they believe counts"
                )
            if stage.get("vectors"):
                yield "  - Its vectors of words are held to theirs"
    yield "- Reproduce: `annotate train models/recipe.yaml --data FOLDER`"
    yield from ("", "| corpus | rows | share of batches | licence, word for word | citation |")
    yield "|---|---|---|---|---|"
    for source in training["sources"]:
        name = source["name"]
        linked = f"[{name}]({source['url']})" if source["url"] else name
        share = training["batches"].get(name, 0) / sum(training["batches"].values())
        yield (
            f"| {linked} | {training['rows'][name]} | {share:.0%} "
            f"| {cell(source['licence'])} | {cell(source['citation'])} |"
        )


def stages_of(recipe: dict[str, Any] | None) -> list[dict[str, Any]]:
    """A recipe as a bundle keeps it, and those that go on from it."""
    return [recipe, *stages_of(recipe.get("then"))] if recipe else []


def larger(teacher: dict[str, Any], config: dict[str, Any]) -> str:
    """The encoder of a teacher that stands on another than the model."""
    name: str = teacher["encoder"]["name"]
    return "" if name == config["encoder"]["name"] else f", on `{name}`"


def listed(figures: dict[str, float]) -> str:
    """Names and figures in a row."""
    return "; ".join(f"{name} {figure:.3f}" for name, figure in figures.items())


def measured(figures: dict[str, Any]) -> Iterator[str]:
    """Figures on dev and test, with their intervals where they were taken."""
    yield from ("", "## Measured", "")
    yield from (
        "In brackets the 95 % interval by bootstrap over documents, over sentences where there is but one.",
        "Thresholds and calibration were chosen on the dev splits, so the dev figures flatter; no test split",
        "was trained or tuned on.",
        "",
        "| corpus | figure | dev | n | test | n |",
        "|---|---|---|---|---|---|",
    )
    test = figures.get("test", {})
    for corpus, found in figures["dev"].items():
        others = {figure["metric"]: figure for figure in test.get(corpus, [])}
        for figure in found:
            other = others.get(figure["metric"])
            right = f"{value(other)} | {other['n']}" if other else "|"
            yield f"| {corpus} | {figure['metric']} | {value(figure)} | {figure['n']} | {right} |"
    for corpus, rows in figures.get("details", {}).items():
        if rows:
            split = "test" if corpus in test else "dev"
            yield from ("", f"{corpus}, {split}:", "")
            yield f"| {' | '.join(rows[0])} |"
            yield "|" + "---|" * len(rows[0])
            for row in rows:
                cells = (f"{x:.2f}" if isinstance(x, float) else str(x) for x in row.values())
                yield f"| {' | '.join(cells)} |"


def alarms(found: list[dict[str, Any]] | None) -> Iterator[str]:
    """Garble marks where there should be none."""
    if not found:
        return
    yield from ("", "## Garble marks where nothing is garbled", "")
    yield from (
        "In dev sets of news that people wrote in English, where hardly a sentence is garbled, and in",
        "sentences written for this purpose in other Englishes, each right where it is at home. Garble was",
        "taught none of them, and none of its thresholds was chosen on them.",
    )
    yield from ("", "| sentences of | n | with a garble mark |", "|---|---|---|")
    for row in found:
        yield f"| {row['of']} | {row['sentences']} | {row['marked']:.3f} |"


def value(figure: dict[str, Any]) -> str:
    """A figure and its interval."""
    if "interval" not in figure:
        return f"{figure['value']:.3f}"
    low, high = figure["interval"]
    return f"{figure['value']:.3f} [{low:.3f}, {high:.3f}]"


def calibration(found: dict[str, Any] | None) -> Iterator[str]:
    """Expected calibration error per signal and the plot."""
    if not found:
        return
    yield from ("", "## Calibration", "")
    yield "Expected calibration error on the dev sets in 15 bins, cross-fitted over documents. By chance:"
    yield "what perfect probabilities would show on as few rows."
    yield from ("", "| signal | error | by chance | n |", "|---|---|---|---|")
    for signal, c in found.items():
        errors = f"{c['error']:.3f} | {c['chance']:.3f}" if c["n"] else "|"
        yield f"| {signal} | {errors} | {c['n']} |"
    yield from ("", f"![Share of yes against probability, per signal]({PLOT})")


def failures(probes: list[dict[str, Any]] | None) -> Iterator[str]:
    """What the model gets wrong among sentences of our own making."""
    if not probes:
        return
    wrong = [p for p in probes if p["said"] != p["expected"]]
    yield from ("", "## Known failures", "")
    yield (
        f"Of {len(probes)} sentences written to show where such models fail, "
        f"{len(probes) - len(wrong)} come out right. These do not:"
    )
    yield from ("", "| signal | sentence | what it tests | expected | said |", "|---|---|---|---|---|")
    for p in wrong:
        text = p["text"].replace(p["target"], f"**{p['target']}**", 1) if "target" in p else p["text"]
        verdicts = f"{word(p['expected'])} | {word(p['said'])}"
        yield f"| {p['signal']} | {cell(text)} | {cell(p['tests'])} | {verdicts} |"


def speed(found: dict[str, Any] | None) -> Iterator[str]:
    """How fast the network is where the card was written."""
    if not found:
        return
    yield from ("", "## Speed", "")
    yield (
        f"{found['per_second']:.0f} sentences a second, all signals and a target in each, on "
        f"{found['threads']} threads of {found['processor']} ({found['sentences']} dev sentences). From "
        "files to parquet beside other ways: `benchmarks/results.md`."
    )


def settings(found: dict[str, dict[str, Any]]) -> Iterator[str]:
    """Thresholds and calibration."""
    yield from ("", "## Settings", "", "| signal | setting | value |", "|---|---|---|")
    for signal, mine in found.items():
        for key, setting in mine.items():
            if isinstance(setting, dict):
                for name, number in setting.items():
                    yield f"| {signal} | {key}: {name} | {number:.3f} |"
            elif isinstance(setting, list):
                yield f"| {signal} | {key} | {len(setting[0])} points |"
            else:
                yield f"| {signal} | {key} | {setting:.3f} |"


def draw_calibration(found: dict[str, Any], path: Path) -> None:
    """Share of yes against probability, a panel per signal, the same bytes for the same figures."""
    import matplotlib
    from matplotlib.figure import Figure

    with matplotlib.rc_context({"svg.hashsalt": "annotate", "font.size": 8}):
        drawn = Figure(figsize=(2.1 * len(found), 2.4), layout="constrained")
        panels = drawn.subplots(1, len(found), sharey=True, squeeze=False)[0]
        for panel, (signal, c) in zip(panels, found.items(), strict=True):
            panel.plot([0, 1], [0, 1], color="#999999", linewidth=0.8)
            panel.scatter(
                [b["probability"] for b in c["bins"]],
                [b["yes"] for b in c["bins"]],
                s=[4 + 200 * b["weight"] for b in c["bins"]],
                color="#0072B2",
                alpha=0.8,
            )
            panel.set(title=signal, xlim=(0, 1), ylim=(0, 1), xlabel="probability", aspect="equal")
        panels[0].set_ylabel("share of yes")
        drawn.savefig(path, metadata={"Date": None})


def word(said: Any) -> str:
    """A verdict in a word."""
    return ("no", "yes")[said] if isinstance(said, bool) else str(said)


def cell(text: str) -> str:
    """Text that fits a table's cell."""
    return " ".join(text.split()).replace("|", "\\|")
