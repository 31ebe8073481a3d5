"""Teachers: what models of one signal believe is kept, and teaches a model of all."""

from __future__ import annotations

import json
import re
import shutil
import subprocess

import numpy as np
import pytest
import torch
import yaml
from tiny import RECIPE, command, trained, weights

from annotate.errors import UserError
from annotate.model.encoder import MINILM, folder_of, load_encoder
from annotate.signals.base import Example
from annotate.training.corpora import SIGNAL_OF
from annotate.training.exchanging import Exchange
from annotate.training.naming import read_named
from annotate.training.panel import Live, Panel
from annotate.training.recipe import Recipe, load_recipe
from annotate.training.steps import Corpus
from annotate.training.teachers import check, keep, kept

TEACHERS = [
    {"name": "stance", "corpora": {"newsmtsc": 1}, "seeds": [1, 2], "steps": 4, "evaluate_every": 4},
    {"name": "hedging", "corpora": {"hedge_bio": 1}, "steps": 4, "evaluate_every": 4},
]


@pytest.fixture
def taught_recipe(tmp_path, tiny_encoder):
    path = tmp_path / "recipe.yaml"
    path.write_text(yaml.safe_dump({**RECIPE, "encoder": str(tiny_encoder), "teachers": TEACHERS}))
    return path


def test_a_student_is_taught_and_a_second_run_asks_no_teacher_again(taught_recipe, corpora, tmp_path):
    trained(taught_recipe, corpora, tmp_path)
    run = tmp_path / "run"
    beliefs = sorted(run.glob("*/beliefs-*.npz"))
    assert [f"{p.parent.name}/{p.stem}" for p in beliefs] == [
        "hedging-1/beliefs-hedge_bio",
        "stance-1/beliefs-newsmtsc",
        "stance-2/beliefs-newsmtsc",
    ]
    written = {path: path.stat().st_mtime_ns for path in beliefs}
    taught = weights(tmp_path)
    alone = yaml.safe_load(taught_recipe.read_text())
    del alone["teachers"]
    taught_recipe.write_text(yaml.safe_dump(alone))
    trained(taught_recipe, corpora, tmp_path / "alone")
    other = weights(tmp_path / "alone")
    assert any(not np.allclose(taught[name], other[name], atol=1e-3) for name in taught)
    (run / "seed-1" / "checkpoint.pt").unlink()
    taught_recipe.write_text(yaml.safe_dump({**alone, "teachers": TEACHERS}))
    trained(taught_recipe, corpora, tmp_path)
    assert {path: path.stat().st_mtime_ns for path in beliefs} == written
    config = json.loads((tmp_path / "model" / "config.json").read_text())
    assert [t["name"] for t in config["training"]["recipe"]["teachers"]] == ["stance", "hedging"]


@pytest.fixture
def larger_encoder(tmp_path, tiny_encoder):
    """Of another architecture, size and order of tokens than the student's; its words are the same."""
    from transformers import MPNetConfig, MPNetModel

    tokenizer = json.loads((tiny_encoder / "tokenizer.json").read_text())
    tokenizer["model"]["vocab"] = {word: n + 1 for word, n in tokenizer["model"]["vocab"].items()}
    for token in tokenizer["added_tokens"]:
        token["id"] += 1
    for token in tokenizer["post_processor"]["special_tokens"].values():
        token["ids"] = [n + 1 for n in token["ids"]]
    config = MPNetConfig(
        vocab_size=30523, hidden_size=32, num_hidden_layers=2, num_attention_heads=2, intermediate_size=48
    )
    MPNetModel(config, add_pooling_layer=False).save_pretrained(tmp_path / "larger")
    (tmp_path / "larger" / "tokenizer.json").write_text(json.dumps(tokenizer))
    return tmp_path / "larger"


def test_what_goes_on_may_have_teachers_on_a_larger_encoder(taught_recipe, larger_encoder, longer, tmp_path):
    recipe = yaml.safe_load(taught_recipe.read_text())
    recipe["teachers"] = []
    recipe["adapt"] = {"corpora": ["newsmtsc"], "masked": 2, "replaced": 2, "batch_size": 8}
    recipe["then"] = {
        "corpora": recipe["corpora"],
        "steps": 8,
        "evaluate_every": 8,
        "head_learning_rate": 0.05,
    }
    found = {}
    for name, teachers in (("alone", []), ("taught", [TEACHERS[1] | {"encoder": str(larger_encoder)}])):
        recipe["then"]["teachers"] = teachers
        taught_recipe.write_text(yaml.safe_dump(recipe))
        line = command(taught_recipe, longer, tmp_path / name)
        done = subprocess.run(line, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        found[name] = torch.load(
            tmp_path / name / "run" / "then" / "seed-1" / "checkpoint.pt", weights_only=True
        )
    teacher = tmp_path / "taught" / "run" / "then" / "hedging-1"
    state = torch.load(teacher / "checkpoint.pt", weights_only=True)["network"]
    assert state["encoder.encoder.relative_attention_bias.weight"].shape == (32, 2)
    assert (teacher / "beliefs-hedge_bio.npz").is_file()
    one, other = (found[name]["network"] for name in ("alone", "taught"))
    assert any(not torch.allclose(one[key], other[key], atol=1e-3) for key in one)
    card = (tmp_path / "taught" / "model" / "README.md").read_text()
    assert f"Taught by models of one signal each: hedging (1 of 4 steps, on `{larger_encoder}`)" in card


def test_live_teachers_judge_each_batch_and_a_cut_run_goes_on_alike(
    taught_recipe, larger_encoder, longer, tmp_path
):
    recipe = yaml.safe_load(taught_recipe.read_text())
    live = {"live": True, "encoder": str(larger_encoder), "seeds": [1, 2]}
    recipe |= {"seeds": [1, 2], "steps": 8, "evaluate_every": 8, "exchanged": 0.3, "vectors": 1.0}
    recipe["teachers"] = [TEACHERS[0] | {"marked": True} | live, TEACHERS[1] | live]
    taught_recipe.write_text(yaml.safe_dump(recipe))
    runs = {}
    for name in ("whole", "cut"):
        trained(taught_recipe, longer, tmp_path / name)
        assert not list((tmp_path / name / "run").glob("*/beliefs-*")), "they are asked at each step instead"
        if name == "cut":
            (tmp_path / name / "run" / "seed-2" / "checkpoint.pt").unlink()
            taught = tmp_path / name / "run" / "stance-1" / "teacher.pt"
            written = taught.stat().st_mtime_ns
            trained(taught_recipe, longer, tmp_path / name)
            assert taught.stat().st_mtime_ns == written, "a teacher is trained once"
        runs[name] = weights(tmp_path / name)
    for key, value in runs["whole"].items():
        np.testing.assert_array_equal(value, runs["cut"][key])
    card = (tmp_path / "whole" / "model" / "README.md").read_text()
    assert "words are exchanged for words like them (about 30%)" in card
    recipe["exchanged"] = 0.0
    taught_recipe.write_text(yaml.safe_dump(recipe))
    trained(taught_recipe, longer, tmp_path / "plain")
    plain = weights(tmp_path / "plain")
    assert any(not np.array_equal(plain[key], value) for key, value in runs["whole"].items())


def test_words_are_exchanged_for_words_like_them_and_spans_stay():
    exchange = Exchange(*load_encoder(folder_of(MINILM)))
    like = {exchange.words[i] for i in exchange.near[exchange.number["praised"]]}
    assert {"lauded", "commended"} <= like
    assert "praised" not in like
    text = "Critics of the mayor praised Ola Nordmann, who attacked 12 of the ministers’ proposals on Monday."
    spans = tuple((text.index(w), text.index(w) + len(w), w) for w in ("Ola Nordmann", "of the ministers"))
    seen = set()
    for seed in range(40):
        rng = np.random.default_rng(seed)
        made = exchange(Example(text, spans), 0.5, rng)
        seen.add(made.text)
        assert [made.text[start:end] for start, end, _ in made.spans] == [w for *_, w in spans]
        assert re.findall(r"[A-Z]\w+|\d+", made.text) == ["Critics", "Ola", "Nordmann", "12", "Monday"]
        assert len(made.text.split()) == len(text.split())
    assert len(seen) > 20
    assert exchange(Example(text, spans), 0.0, np.random.default_rng(0)).text == text


def test_a_live_teacher_judges_what_it_was_taught_and_what_nobody_labelled(annotator):
    """Of an exchanged batch only the teachers' beliefs count, of another the share that is left to them."""
    bundle = annotator.bundle
    recipe = Recipe("student", {"hedge_wiki": 1, "babe": 1, "plain_news": 1}, exchanged=0.5)
    teacher = Recipe("loaded", {"babe": 1}, live=True)
    exchange = Exchange(bundle.network.encoder, bundle.tokenizer)
    panel = Panel([Live(teacher, [bundle.network], bundle.tokenizer)], exchange)
    examples = [
        Example("The awful mayor said that the ferries had been late again and again.", label=1.0)
    ] * 4
    corpora = {
        name: Corpus(name, SIGNAL_OF[name], examples, bundle.tokenizer, recipe)
        for name in ("hedge_wiki", "babe", "plain_news")
    }
    assert [name for name, corpus in corpora.items() if panel.of(corpus)] == ["babe", "plain_news"]
    rows = np.arange(4)
    even, odd = (panel.lesson(corpora["babe"], rows, 0.25, step) for step in (6, 7))
    assert (even.share, odd.share) == (1.0, 0.25)
    assert [e.text for e in odd.examples] == [e.text for e in examples]
    assert len({e.text for e in even.examples}) > 1
    assert panel.lesson(corpora["plain_news"], rows, 0.25, 7).share == 1.0
    for lesson in (even, odd):
        for encoding, belief, example in zip(lesson.encodings, lesson.beliefs, lesson.examples, strict=True):
            assert belief.shape == (len({w for w in encoding.word_ids if w is not None}) + 1,)
            [alone], _ = panel.teachers[0].judge(corpora["babe"].signal, [example])
            np.testing.assert_allclose(belief, alone, atol=1e-4)


def test_a_teacher_that_cuts_other_words_is_refused(taught_recipe, larger_encoder, corpora, tmp_path):
    path = larger_encoder / "tokenizer.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"pre_tokenizer": {"type": "Whitespace"}}))
    recipe = yaml.safe_load(taught_recipe.read_text())
    teacher = TEACHERS[1] | {"encoder": str(larger_encoder)}
    recipe["then"] = {"corpora": recipe["corpora"], "steps": 8, "teachers": [teacher]}
    taught_recipe.write_text(yaml.safe_dump(recipe))
    done = subprocess.run(command(taught_recipe, corpora, tmp_path), capture_output=True, text=True)
    assert done.returncode == 2
    assert not (tmp_path / "run").exists(), "it is refused before anything is trained"
    assert "cuts text into other words" in done.stderr
    assert "Traceback" not in done.stderr


def test_what_nobody_labelled_needs_a_teacher(tmp_path, tiny_encoder):
    path = tmp_path / "recipe.yaml"
    recipe = {**RECIPE, "encoder": str(tiny_encoder), "corpora": {"newsmtsc": 1, "named_news": 1}}
    path.write_text(yaml.safe_dump(recipe | {"teachers": [TEACHERS[1]]}))
    with pytest.raises(
        UserError, match="Nobody labelled `named_news`; the recipe tiny needs a teacher of stance"
    ):
        check(load_recipe(path))
    path.write_text(yaml.safe_dump(recipe | {"teachers": TEACHERS}))
    check(load_recipe(path))


@pytest.mark.parametrize("key", ["exchanged", "vectors"])
def test_what_only_live_teachers_do_is_refused_without_one(tmp_path, tiny_encoder, key):
    path = tmp_path / "recipe.yaml"
    recipe = {**RECIPE, "encoder": str(tiny_encoder), key: 0.5}
    path.write_text(yaml.safe_dump(recipe | {"teachers": TEACHERS}))
    with pytest.raises(UserError, match=f"`{key}` in the recipe tiny does nothing without a teacher"):
        check(load_recipe(path))
    path.write_text(yaml.safe_dump(recipe | {"teachers": [TEACHERS[0] | {"live": True}]}))
    check(load_recipe(path))
    path.write_text(yaml.safe_dump(recipe | {key: -0.5}))
    with pytest.raises(UserError, match=f"`{key}` in the recipe .* must"):
        load_recipe(path)


@pytest.mark.parametrize("live", [False, True])
def test_a_teacher_of_another_recipe_is_not_taken(taught_recipe, corpora, tmp_path, live):
    recipe = yaml.safe_load(taught_recipe.read_text())
    recipe["teachers"] = [TEACHERS[1] | {"live": live}]
    taught_recipe.write_text(yaml.safe_dump(recipe))
    trained(taught_recipe, corpora, tmp_path)
    shutil.rmtree(tmp_path / "run" / "seed-1")
    recipe["teachers"][0]["learning_rate"] = 0.002
    taught_recipe.write_text(yaml.safe_dump(recipe))
    with pytest.raises(UserError, match="hedging-1 holds a run of another recipe"):
        trained(taught_recipe, corpora, tmp_path)


def test_what_teachers_believe_comes_back_in_its_shape(tmp_path):
    rng = np.random.default_rng(0)
    beliefs = [rng.random(3), rng.random((4, 2)), rng.random((5, 3, 3)), rng.random((1, 2))]
    keep(tmp_path / "b.npz", beliefs)
    back = kept(tmp_path / "b.npz")
    assert [b.shape for b in back] == [b.shape for b in beliefs]
    for one, other in zip(back, beliefs, strict=True):
        np.testing.assert_allclose(one, other, atol=1e-3)


@pytest.mark.parametrize("name", ["stance", "hedging", "garble", "attribution"])
def test_a_belief_is_learned_best_by_who_holds_it(name, annotator):
    """The loss against one's own beliefs is lower than that against beliefs that are turned round."""
    import torch

    from annotate.article import Mention, Sentence
    from annotate.model.batch import collate, tokenize

    texts = ["Anna said the awful mayor might be wrong.", "Ferries leave from the western quay on Monday."]
    sentences = [Sentence("", None, "", 0, len(t), t, mentions=(Mention("x", 0, 4),)) for t in texts]
    network = annotator.bundle.network
    [signal] = [s for s in network.signals if s.name == name]
    batch = collate(tokenize(annotator.bundle.tokenizer, texts), 0)
    with torch.inference_mode():
        out = network(batch, sentences, only=[signal])[name]
        own = signal.beliefs(out, batch)
        turned = [np.ascontiguousarray(b[..., ::-1]) if name != "garble" else 1 - b for b in own]
        mine = float(signal.belief_loss(out, batch, [b.astype(np.float32) for b in own], "any"))
        others = float(signal.belief_loss(out, batch, [b.astype(np.float32) for b in turned], "any"))
    assert mine < others


def test_a_sentence_that_is_held_out_is_not_judged_by_teachers():
    texts = [
        "On Monday the harbour master Ida Berg closed the port of Halden for repairs until June.",
        "Critics of Ola Nordmann said that the ferry had been late again.",
        "Nothing here is anybody's name at all.",
    ]
    held = [
        "Yesterday the harbour master Ida Berg closed the port of Halden for repairs until June, she said."
    ]
    assert [e.text for e in read_named(texts, [])] == texts[:2]
    [left] = read_named(texts, held)
    assert left.text == texts[1]
    [(start, end, _)] = left.spans
    assert left.text[start:end] == "Ola Nordmann"


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"precision": "float16"}, "`precision` in the recipe .* must be float32 or bfloat16"),
        ({"teachers": {"name": "x"}}, "`teachers` in the recipe .* must be a list of recipes"),
        (
            {"then": {"corpora": {"hedge_bio": 1}, "encoder": "another"}},
            "`then` in the recipe .* goes on with the same encoder",
        ),
        ({"teachers": [{"name": "x"}]}, "The recipe .*, teacher 1 lacks `corpora`"),
    ],
)
def test_a_recipe_that_is_wrong_says_where(tmp_path, change, said):
    path = tmp_path / "recipe.yaml"
    path.write_text(yaml.safe_dump({**RECIPE, **change}))
    with pytest.raises(UserError, match=said):
        load_recipe(path)
