"""The repository itself: formatted, typed, light, and fit to be installed elsewhere."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent


def tool(name: str, *args: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", name, *args], cwd=ROOT, capture_output=True, text=True, check=False
    )


@pytest.mark.parametrize(
    "args", [("ruff", "check", "."), ("ruff", "format", "--check", "."), ("mypy",)], ids=" ".join
)
def test_the_code_is_checked_formatted_and_typed(args):
    done = tool(*args)
    assert done.returncode == 0, done.stdout + done.stderr


def tracked() -> list[Path]:
    names = subprocess.run(
        ["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout
    return [ROOT / name for name in names.split("\0") if name]


def test_nothing_is_over_a_megabyte_but_the_shipped_model():
    heavy = [
        str(p)
        for p in tracked()
        if p.is_file() and p.stat().st_size > 1e6 and ROOT / "models" not in p.parents
    ]
    assert heavy == []


def test_imports_go_one_way():
    """Command line, jobs, then what shows and sums up scores, then studio, corrections, training and scoring,
    then signals and model, then article."""
    order = (
        "errors", "article home quotation scratch", "reading signals model", "frame registry ordering",
        "siblings", "studio corrections serving training scoring terminal sidebyside output progress scores",
        "engine comparing datasets highlight summary", "display report plots", "jobs",
        "commands", "cli", "__main__",
    )  # fmt: skip
    ranks = {room: rank for rank, rooms in enumerate(order) for room in rooms.split()}
    import ast

    for path in sorted((ROOT / "annotate").rglob("*.py")):
        here = path.relative_to(ROOT / "annotate").parts[0].removesuffix(".py")
        if here == "__init__":
            continue
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("annotate."):
                there = node.module.split(".")[1]
                assert ranks[there] <= ranks[here], f"{path.name} imports {node.module}"


@pytest.fixture(scope="module")
def wheel(tmp_path_factory) -> Path:
    out = tmp_path_factory.mktemp("wheel")
    done = tool("build", "--wheel", "--no-isolation", "--outdir", str(out))
    assert done.returncode == 0, done.stdout + done.stderr
    [built] = out.glob("*.whl")
    return built


def test_a_wheel_installed_elsewhere_scores_the_same(wheel, tmp_path, seeds_frame, seeds):
    elsewhere = tmp_path / "elsewhere"
    install = ["pip", "install", "--quiet", "--no-deps", "--target", str(elsewhere), str(wheel)]
    subprocess.run([sys.executable, "-m", *install], check=True)
    program = (
        "import annotate, sys; from pathlib import Path\n"
        f"assert Path(annotate.__file__).is_relative_to({str(elsewhere)!r}), annotate.__file__\n"
        "f = annotate.load().score(sys.argv[1])\n"
        "print(f[['sentence_id', 'garble', 'holder_name']].to_json(orient='values'))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, str(seeds)],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(elsewhere)},
        capture_output=True,
        text=True,
        check=True,
    )
    found = json.loads(done.stdout)
    here = json.loads(seeds_frame[["sentence_id", "garble", "holder_name"]].to_json(orient="values"))
    assert [row[0] for row in found] == [row[0] for row in here]
    assert [row[2] for row in found] == [row[2] for row in here]
    for one, other in zip(found, here, strict=True):
        assert one[1] == pytest.approx(other[1], abs=1e-3)
