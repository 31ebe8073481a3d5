"""The labelling interface: Label Studio's XML, built from the form.

One sentence stands between its neighbours, the labels above it, the questions below, and what other
outlets wrote about the same thing beside it.
"""

from __future__ import annotations

import re
from xml.etree import ElementTree
from xml.etree.ElementTree import Element

from annotate.signals.review import Question, TextBox
from annotate.studio.form import SLOTS, SPAN, Form, slot

# `an-` and not a shorter prefix: Label Studio's own classes begin with lsf-, dm- and mb-.
STYLE = """
.an-page { display: grid; grid-template-columns: minmax(0, 1fr) minmax(240px, 30%); gap: 28px; }
.an-page:not(:has(blockquote)) { grid-template-columns: minmax(0, 1fr); }
.an-page:not(:has(blockquote)) .an-beside { display: none; }
.an-page :is(h1, h2, h3, h4, h5, h6) { font-size: 13px !important; line-height: 1.4 !important;
  font-weight: 600 !important; margin: 0 !important; }
.an-page h6:empty, .an-page h4:empty { display: none; }
.an-meta :is(h4, h6) { font-weight: 400 !important; opacity: .7; }
.an-near { opacity: .6; font-size: 14px; }
.an-sentence { margin: 8px 0; padding: 10px 14px; border-left: 4px solid #0072B2; border-radius: 4px;
  background: rgba(127, 127, 127, .08); }
.an-sentence .lsf-richtext__line, .an-sentence [class*=richtext] { font-size: 18px; line-height: 1.9; }
.an-span { min-height: 40px; margin-top: 6px; }
.an-row { display: grid; grid-template-columns: minmax(110px, 190px) minmax(0, 1fr); gap: 14px;
  align-items: center; padding: 6px 0; border-top: 1px solid rgba(127, 127, 127, .25); }
.an-slot:has(:is(h4, h6):empty) { display: none; }
.an-row .lsf-choices, .an-span .lsf-choices { display: flex; flex-wrap: wrap; gap: 2px 12px; margin: 0; }
.an-beside { border-left: 1px solid rgba(127, 127, 127, .25); padding-left: 18px; }
.an-beside blockquote { margin: 10px 0; padding: 0 0 0 10px; border-left: 3px solid #999; }
.an-beside mark { background: rgba(230, 159, 0, .28); color: inherit; border-radius: 3px; padding: 0 2px; }
.an-span .an-row { border-top: 0; border-left: 4px solid #E69F00; background: rgba(230, 159, 0, .08);
  padding-left: 10px; }
@media (max-width: 900px) { .an-page { grid-template-columns: minmax(0, 1fr); } }
"""


def interface(form: Form) -> str:
    """The label_config of a project for this form."""
    root = Element("View")
    _add(root, "Style").text = STYLE
    page = _view(root, "an-page")
    main = _view(page, "an-main")
    _add(_view(main, "an-meta"), "Header", value="$meta_line", size="6")
    labels = _add(main, "Labels", name=SPAN, toName="text", showInline="true")
    for label in form.labels:
        _add(labels, "Label", value=label.value, background=label.colour, **_key(label.key))
    _text(main, "an-near", "context_before")
    _add(_view(main, "an-sentence"), "Text", name="text", value="$text", granularity="word")
    _text(main, "an-near", "context_after")
    _about_the_span(_view(main, "an-span"), form)
    for question in form.asked("target"):
        for k in range(SLOTS):
            row = _view(main, "an-row an-slot")
            _add(row, "Header", value=f"$target_{k}", size="6")
            _choices(row, slot(question.name, k), question, k)
    _add(_view(main, "an-meta"), "Header", value="$targets_more", size="6")
    for question in form.asked("sentence"):
        _choices(_titled(main, question), question.name, question)
    for box in form.boxes_of("sentence"):
        _box(_titled(main, box), box)
    beside = _view(page, "an-beside")
    _add(beside, "Header", value="The same event elsewhere", size="6")
    _add(beside, "HyperText", name="siblings", value="$siblings_html", valueType="text", inline="true")
    ElementTree.indent(root)
    return ElementTree.tostring(root, encoding="unicode")


def essence(config: str) -> frozenset[tuple[str, ...]]:
    """What of an interface decides which answers can be given: controls, their values, what they show.

    Looks, order, colours and hotkeys may change without making old answers unreadable. Raises
    ElementTree.ParseError on what is no XML.
    """
    found = set()
    for element in ElementTree.fromstring(config).iter():
        if (name := element.get("name")) is None:
            continue
        values = sorted(child.get("value", "") for child in element if child.tag in {"Label", "Choice"})
        told = (element.get("toName", element.get("value", "")), element.get("perRegion", "false"))
        found.add((element.tag, name, *told, *values))
    return frozenset(found)


def differences(config: str, wanted: str) -> list[str]:
    """The names of the controls in which two interfaces differ; empty where both take the same answers."""
    try:
        theirs = essence(config)
    except ElementTree.ParseError:
        theirs = frozenset()
    return sorted({control[1] for control in theirs ^ essence(wanted)})


def is_empty(config: str | None) -> bool:
    """Whether a project has no interface yet, as after creating it by hand without one."""
    return re.sub(r"\s", "", config or "") in {"", "<View/>", "<View></View>"}


def _add(parent: Element, tag: str, **attributes: str) -> Element:
    child = Element(tag, attributes)
    parent.append(child)
    return child


def _view(parent: Element, css: str) -> Element:
    return _add(parent, "View", className=css)


def _text(parent: Element, css: str, name: str) -> None:
    _add(_view(parent, css), "Text", name=name, value=f"${name}")


def _key(key: str | None) -> dict[str, str]:
    return {"hotkey": key} if key else {}


def _titled(parent: Element, item: Question | TextBox) -> Element:
    row = _view(parent, "an-row")
    _add(row, "Header", value=item.title, size="6")
    return row


def _about_the_span(parent: Element, form: Form) -> None:
    """What is asked of a span shows only while one with such a label is selected."""
    items: tuple[Question | TextBox, ...] = (*form.asked("span"), *form.boxes_of("span"))
    for item in items:
        shown = _add(
            parent,
            "View",
            visibleWhen="region-selected",
            whenTagName=SPAN,
            whenLabelValue=",".join(item.labels),
        )
        row = _titled(shown, item)
        if isinstance(item, Question):
            _choices(row, item.name, item, perRegion="true")
        else:
            _box(row, item, perRegion="true")


def _choices(parent: Element, name: str, question: Question, row: int = 0, **more: str) -> None:
    if question.required:
        more |= {"required": "true", "requiredMessage": f"{question.title}?"}
    choices = _add(
        parent, "Choices", name=name, toName="text", choice="single-radio", showInline="true", **more
    )
    keys = question.keys[row] if row < len(question.keys) else ()
    for n, choice in enumerate(question.choices):
        _add(choices, "Choice", value=choice, **_key(keys[n] if n < len(keys) else None))


def _box(parent: Element, box: TextBox, **more: str) -> None:
    _add(
        parent,
        "TextArea",
        name=box.name,
        toName="text",
        placeholder=box.title,
        maxSubmissions="1",
        rows="1",
        editable="true",
        showSubmitButton="false",
        **more,
    )
