"""The labelling interface follows from the signals, and nothing in it collides."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from label_studio_sdk.label_interface import LabelInterface

from annotate.signals.review import Controls, Label, Question, TextBox
from annotate.studio.form import SLOTS, form
from annotate.studio.interface import differences, interface, is_empty


def toy(**controls):
    return SimpleNamespace(name="toy", controls=Controls(**controls))


def with_toy(**controls):
    return form([*form().signals, toy(**controls)])


def test_label_studio_accepts_the_interface_of_our_signals():
    LabelInterface(interface(form())).validate()


def test_every_control_of_every_signal_is_in_the_interface():
    parsed = LabelInterface(interface(form()))
    asked = form()
    names = {q.name for q in asked.questions if q.scope != "target"} | {box.name for box in asked.boxes}
    names |= {f"{q.name}_{k}" for q in asked.asked("target") for k in range(SLOTS)}
    assert names <= {control.name for control in parsed.controls}
    assert set(parsed.get_control("label").labels) == {label.value for label in asked.labels}


def test_every_label_and_every_choice_has_a_key_of_its_own():
    asked = form()
    choices = sum(len(q.choices) * (SLOTS if q.scope == "target" else 1) for q in asked.questions)
    assert len(set(asked.keys)) == len(asked.labels) + choices


def test_a_sixth_signal_appears_without_any_change_here():
    config = interface(
        with_toy(
            labels=(Label("Irony", "#123456", "i"),),
            questions=(Question("tone", "Tone", ("dry", "bitter"), scope="span", labels=("Irony",)),),
            boxes=(TextBox("why", "Why"),),
        )
    )
    parsed = LabelInterface(config)
    parsed.validate()
    assert "Irony" in parsed.get_control("label").labels
    assert {"tone", "why"} <= {control.name for control in parsed.controls}


@pytest.mark.parametrize(
    ("controls", "complaint"),
    [
        ({"labels": (Label("Irony", "#123456", "1"),)}, "hotkey '1' twice"),
        ({"labels": (Label("Irony", "#123456", "u"),)}, "'u' belongs to Label Studio"),
        ({"labels": (Label("Hedge", "#123456"),)}, "label 'Hedge' twice"),
        ({"boxes": (TextBox("text", "Text"),)}, "control 'text' twice"),
        ({"questions": (Question("stance_1", "?", ("a",)),)}, "control 'stance_1' twice"),
        ({"questions": (Question("q", "?", ("a",), scope="span", labels=("No",)),)}, "no signal has"),
    ],
)
def test_signals_that_collide_are_refused(controls, complaint):
    with pytest.raises(ValueError, match=complaint):
        with_toy(**controls)


def test_looks_may_differ_and_answers_may_not():
    config = interface(form())
    assert not differences(config.replace("#56B4E9", "#000000").replace('hotkey="q"', ""), config)
    assert differences(config.replace('value="Hedge"', 'value="Cue word"'), config) == ["label"]
    assert differences(interface(with_toy(boxes=(TextBox("why", "Why"),))), config) == ["why"]
    assert differences("<View><broken", config)


def test_a_project_without_interface_is_told_from_one_with_another():
    assert is_empty(None)
    assert is_empty("<View></View>")
    assert not is_empty('<View><Text name="t" value="$t"/></View>')
