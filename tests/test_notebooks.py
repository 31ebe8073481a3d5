"""The notebooks run on the real model, show what the API gives, and lie in git without outputs."""

from __future__ import annotations

import base64
import io
import json
import subprocess
import sys
import time
import warnings
from pathlib import Path

import nbformat
import numpy as np
import pytest
from matplotlib import image
from nbclient import NotebookClient

ROOT = Path(__file__).parent.parent
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))
NAMES = [path.stem for path in NOTEBOOKS]
SECONDS = 300
"""In which all of them must be done, on two cores."""
WIDE = 2_500
"""Characters of text that a cell may show; more is a print-out that nobody reads."""


@pytest.fixture(scope="session")
def executed(tmp_path_factory):
    """Each notebook when first asked for, executed in a copy far from the repository."""
    done = {}

    def of(name):
        if name not in done:
            folder = tmp_path_factory.mktemp(name)
            notebook = nbformat.read(ROOT / "notebooks" / f"{name}.ipynb", as_version=4)
            where = {"metadata": {"path": str(folder)}}
            started = time.monotonic()
            NotebookClient(notebook, timeout=SECONDS, kernel_name="python3", resources=where).execute()
            done[name] = notebook, time.monotonic() - started
        return done[name]

    return of


def code(notebook):
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def pictures(notebook):
    """The pixels of the figures it shows, in order."""
    found = []
    for cell in code(notebook):
        for output in cell.outputs:
            if "image/png" in output.get("data", {}):
                found.append(image.imread(io.BytesIO(base64.b64decode(output.data["image/png"]))))
    return found


def drawn(figure):
    """The pixels of a figure as Jupyter would show it."""
    from IPython.core.pylabtools import print_figure

    return image.imread(io.BytesIO(print_figure(figure, "png")))


def test_there_are_the_five():
    assert NAMES == [
        "01-score-a-corpus",
        "02-compare-outlets",
        "03-what-went-wrong-in-translation",
        "04-agreement-and-retraining",
        "05-bring-your-own",
    ]


@pytest.mark.parametrize("path", NOTEBOOKS, ids=NAMES)
def test_in_git_it_has_no_outputs_and_names_no_machine(path):
    text = path.read_text(encoding="utf-8")
    notebook = nbformat.reads(text, as_version=4)
    nbformat.validate(notebook)
    for cell in code(notebook):
        assert cell.outputs == []
        assert cell.execution_count is None
    assert set(json.loads(text)["metadata"]) == {"kernelspec", "language_info"}
    assert not any(place in text for place in ("/home/", "/work/", "/tmp/", "C:\\\\"))
    assert len(text) < 40_000


@pytest.mark.parametrize("path", NOTEBOOKS, ids=NAMES)
def test_without_the_extras_its_first_cell_says_what_to_install(path):
    [first, *_] = code(nbformat.read(path, as_version=4))
    bare = subprocess.run([sys.executable, "-I", "-S", "-c", first.source], capture_output=True, text=True)
    assert bare.returncode == 1
    assert bare.stderr.strip() == (
        "annotate is not installed here; run: pip install 'annotate-news[notebooks]'"
    )
    here = subprocess.run([sys.executable, "-c", first.source], capture_output=True, text=True)
    assert (here.returncode, here.stdout, here.stderr) == (0, "", "")


@pytest.mark.parametrize("name", NAMES)
def test_it_runs_and_prints_nothing_that_nobody_reads(executed, name):
    notebook, _ = executed(name)
    for cell in code(notebook):
        for output in cell.outputs:
            if output.output_type == "stream":
                assert len(output.text) < WIDE, cell.source
                if output.name == "stderr":
                    assert "SmallSample" in output.text, output.text
            elif "image/png" not in output.data:
                assert len(output.data.get("text/plain", "")) < WIDE, cell.source


def test_all_are_done_in_five_minutes(executed):
    assert sum(executed(name)[1] for name in NAMES) < SECONDS


def test_the_figures_are_those_of_the_api(executed, annotator, seeds_frame):
    from annotate import plots
    from annotate.summary import summarize

    shown = pictures(executed("01-score-a-corpus")[0])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        summary = summarize(seeds_frame)
    mine = [plots.signals(summary), plots.reliability(annotator.bundle.config["figures"]["calibration"])]
    assert len(shown) == len(mine)
    for picture, figure in zip(shown, mine, strict=True):
        assert np.array_equal(picture, drawn(figure))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        together = summarize(seeds_frame.assign(event="the five articles"), by="event")
    *_, stance, holders, last = pictures(executed("02-compare-outlets")[0])
    assert np.array_equal(stance, drawn(plots.stance(summary)))
    assert np.array_equal(holders, drawn(plots.holders(summary, top=10)))
    assert np.array_equal(last, drawn(plots.stance(together)))


def test_the_quotation_stands_in_four_versions(executed):
    notebook, _ = executed("03-what-went-wrong-in-translation")
    tables = [
        output.data["text/html"]
        for cell in code(notebook)
        for output in cell.outputs
        if "text/html" in output.get("data", {})
    ]
    [quotation] = [
        table for table in tables if "making groundless accusations" in table and "Pouring" in table
    ][:1]
    for article in ("001", "002", "003", "004"):
        assert f">{article}<" in quotation
    assert any("Wang Jianzhu" in table for table in tables)


def test_a_retraining_ends_with_the_verdict_of_the_gate(executed):
    notebook, _ = executed("04-agreement-and-retraining")
    [said] = [
        output.text
        for cell in code(notebook)
        for output in cell.outputs
        if output.output_type == "stream" and "held-out corrections" in output.text
    ]
    assert said.startswith(("The new model may serve.", "The new model is refused"))
    for signal in ("attribution", "stance", "hedging", "loaded", "garble"):
        assert f"held-out corrections, {signal} (n=" in said
    assert len(pictures(notebook)) == 3
