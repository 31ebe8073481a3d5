"""A model on disk: it loads whole or says why not, and says the same after a copy."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from annotate.errors import UserError
from annotate.model.bundle import WEIGHTS, identity, load_bundle, read_config, save_bundle, shipped
from annotate.model.encoder import MINILM, EncoderSpec, folder_of


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    return Path(shutil.copytree(shipped(), tmp_path / "model"))


def edit(bundle: Path, **changes: object) -> None:
    config = json.loads((bundle / "config.json").read_text())
    (bundle / "config.json").write_text(json.dumps({**config, **changes}))


def test_a_flipped_byte_in_the_weights_is_noticed(bundle):
    data = bytearray((bundle / WEIGHTS).read_bytes())
    data[-1] ^= 1
    (bundle / WEIGHTS).write_bytes(data)
    with pytest.raises(UserError, match=r"weights\.safetensors is damaged"):
        load_bundle(bundle)


def test_a_missing_file_is_named(bundle):
    (bundle / WEIGHTS).unlink()
    with pytest.raises(UserError, match=r"lacks weights\.safetensors"):
        load_bundle(bundle)


@pytest.mark.parametrize(
    ("text", "said"),
    [("{", "cannot be read"), ("[]", "is not the config"), ('{"format": 1}', "lacks name")],
)
def test_a_config_that_is_not_a_bundles_is_refused(bundle, text, said):
    (bundle / "config.json").write_text(text)
    with pytest.raises(UserError, match=said):
        load_bundle(bundle)


def test_a_folder_that_is_no_model_is_refused(tmp_path):
    with pytest.raises(UserError, match=r"is not a model folder: it has no config\.json"):
        load_bundle(tmp_path)


def test_a_model_with_a_signal_this_version_lacks_is_refused(bundle):
    config = read_config(bundle)
    edit(bundle, settings={**config["settings"], "sarcasm": {}})
    with pytest.raises(UserError, match="sarcasm"):
        load_bundle(bundle)


def test_weights_of_another_network_are_refused(bundle):
    import torch
    from safetensors.torch import save_file

    from annotate.model.encoder import sha256

    save_file({"heads.loaded.linear.weight": torch.zeros(3, 3)}, bundle / WEIGHTS)
    edit(bundle, files={WEIGHTS: sha256(bundle / WEIGHTS)})
    with pytest.raises(UserError, match="does not fit this version's network: 1 tensors are foreign"):
        load_bundle(bundle)


def test_a_trained_layer_that_is_missing_is_not_taken_from_the_untouched_encoder(bundle):
    from safetensors.torch import load_file, save_file

    from annotate.model.encoder import sha256

    stored = load_file(bundle / WEIGHTS)
    lost = [name for name in stored if name.startswith("encoder.encoder.layer.5.")]
    assert lost
    save_file({name: tensor for name, tensor in stored.items() if name not in lost}, bundle / WEIGHTS)
    edit(bundle, files={WEIGHTS: sha256(bundle / WEIGHTS)})
    with pytest.raises(UserError, match=f"{len(lost)} are missing"):
        load_bundle(bundle)


def test_an_encoder_with_other_bytes_is_refused(tmp_path):
    folder = Path(shutil.copytree(folder_of(MINILM), tmp_path / "encoder"))
    (folder / "tokenizer.json").write_text((folder / "tokenizer.json").read_text() + " ")
    with pytest.raises(UserError, match="its SHA-256 differs"):
        folder_of(EncoderSpec(str(folder), None, MINILM.files))


def test_an_encoder_that_is_nowhere_is_named(monkeypatch):
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    with pytest.raises(UserError, match="nobody/nothing is neither a folder here nor to be had"):
        folder_of(EncoderSpec("nobody/nothing"))


def test_a_changed_threshold_is_another_model():
    config = read_config(shipped())
    changed = json.loads(json.dumps(config))
    changed["settings"]["hedging"]["threshold"] += 0.01
    assert identity(config) != identity(changed)
    assert identity(config) == identity({**config, "figures": {}})


def test_a_saved_model_scores_as_before(annotator, tmp_path):
    from annotate.scoring import Annotator

    bundle = annotator.bundle
    for name, parameter in bundle.network.named_parameters():
        parameter.requires_grad_(not name.startswith("encoder.embeddings."))
    folder = tmp_path / "again"
    encoder = EncoderSpec(**bundle.config["encoder"])
    training, figures = bundle.config["training"], bundle.config["figures"]
    save_bundle(
        folder,
        bundle.network,
        bundle.settings,
        name=bundle.name,
        encoder=encoder,
        training=training,
        figures=figures,
    )
    texts = ["Officials may have lied, he said.", "Pouring water in other countries."]
    again = Annotator(load_bundle(folder)).score_sentences(texts)
    before = annotator.score_sentences(texts)
    for column in ("attribution", "hedging", "loaded", "garble"):
        assert again[column].tolist() == pytest.approx(before[column].tolist(), abs=1e-3)


def test_the_card_is_what_the_code_writes_from_the_config():
    from annotate.training.card import CARD, card

    assert (shipped() / CARD).read_text(encoding="utf-8") == card(read_config(shipped()), shipped())


def test_the_card_names_every_corpus_with_its_licence():
    text = (shipped() / "README.md").read_text(encoding="utf-8")
    config = read_config(shipped())
    assert {s["name"] for s in config["training"]["sources"]} == set(config["training"]["batches"])
    for source in config["training"]["sources"]:
        assert source["name"] in text
        assert " ".join(source["licence"].split()).replace("|", "\\|") in text
