"""What an annotator sees and does in a real browser, and what of it arrives on the server."""

from __future__ import annotations

import pytest
from playwright.sync_api import TimeoutError
from scored_rows import judged, place_of, scored_row

from annotate import frame
from annotate.studio.form import form
from annotate.studio.push import push
from annotate.studio.results import reviewed, to_review

TEXT = "Wang Jianzhu said China and the United States might be pouring water in other countries."


def spanned(part, **more):
    return {**place_of(TEXT, part), "probability": 0.9, **more}


def rich_row(**columns):
    found = {
        "holder_kind": "source",
        "holder_name": "Wang Jianzhu",
        "attribution": 0.9,
        "attribution_spans": [spanned("Wang Jianzhu", role="source"), spanned("said", role="cue")],
        "stance": [judged(TEXT, "China", "favor"), judged(TEXT, "United States", "against")],
        "hedging": 0.9,
        "hedging_spans": [spanned("might")],
        "garble": 0.9,
        "garble_spans": [
            spanned("pouring water", category="mistranslation", severity="major", better="smearing")
        ],
    }
    return scored_row(TEXT, **(found | columns))


def open_task(page, studio, project, wait="highlight"):
    """Label the first task of a project, as the button “Label All Tasks” does."""
    page.goto(f"{studio.url}/projects/{project}/data?labeling=1")
    page.wait_for_selector(".an-sentence .htx-highlight" if wait == "highlight" else ".an-sentence")
    page.wait_for_function("window.Htx && Htx.annotationStore.selected")


def results(page):
    """The open annotation as it would be saved."""
    return page.evaluate("Htx.annotationStore.selected.serializeAnnotation()")


def marked(page, part):
    return page.locator(".an-sentence .htx-highlight", has_text=part).last


def double_click(page, word):
    """Double click the middle of a word of the sentence, found by the browser's own range."""
    spot = page.evaluate(
        """word => {
          const sentence = document.querySelector('.an-sentence');
          const walker = document.createTreeWalker(sentence, NodeFilter.SHOW_TEXT);
          for (let node; (node = walker.nextNode());) {
            const at = node.data.indexOf(word);
            if (at < 0) continue;
            const range = document.createRange();
            range.setStart(node, at);
            range.setEnd(node, at + word.length);
            const box = range.getBoundingClientRect();
            return [box.x + box.width / 2, box.y + box.height / 2];
          }
        }""",
        word,
    )
    page.mouse.dblclick(*spot)


def mark(page, word):
    """Double click a word until it is marked: on a loaded machine the page may still be moving when the first
    click falls."""
    there = "w => Htx.annotationStore.selected.serializeAnnotation().some(r => r.value.text === w)"
    for _ in range(4):
        double_click(page, word)
        try:
            page.wait_for_function(there, arg=word, timeout=5000)
        except TimeoutError:
            continue
        return
    raise AssertionError(f"a double click does not mark {word}")


def submit(page):
    with page.expect_response(lambda r: "/annotations" in r.url and r.request.method == "POST") as saved:
        page.keyboard.press("Control+Enter")
    assert saved.value.ok


def annotations(studio, project):
    (task, *_) = studio.api.tasks.list(project=project, fields="all", page_size=10)
    return task.data, studio.api.annotations.list(task.id)


def test_the_first_task_opens_with_the_predicted_spans_and_choices(studio, title, page):
    report = push(frame.table([rich_row()]), title, server=studio)
    open_task(page, studio, report.project_id)
    seen = [element.inner_text() for element in page.locator(".an-sentence .htx-highlight").all()]
    assert seen == ["Wang Jianzhu", "said", "China", "United States", "might", "pouring water"]
    assert page.locator(".an-slot h4:visible, .an-slot h6:visible").all_inner_texts() == [
        "China",
        "United States",
    ]
    chosen = {r["from_name"]: r["value"]["choices"] for r in results(page) if r["type"] == "choices"}
    assert chosen == {
        "holder": ["source"], "stance_0": ["favor"], "stance_1": ["against"], "category": ["mistranslation"],
    }  # fmt: skip
    checked = page.locator(".an-row input:checked:visible")
    assert [box.get_attribute("name") for box in checked.all()] == ["favor", "against", "source"]


def test_a_correction_by_keyboard_is_on_the_server(studio, title, page):
    row = rich_row()
    report = push(frame.table([row]), title, server=studio)
    open_task(page, studio, report.project_id)
    page.keyboard.press("w")  # China: neutral
    marked(page, "pouring water").click()
    page.keyboard.press("4")  # a minor one
    page.keyboard.press("k")  # awkward
    page.keyboard.press("u")
    marked(page, "might").click()
    page.keyboard.press("Backspace")
    submit(page)
    data, (annotation,) = annotations(studio, report.project_id)
    review = to_review(annotation.result, form(), data)
    back = reviewed(review, form(), row)
    assert [stance["label"] for stance in back["stance"]] == ["neutral", "against"]
    assert back["hedging_spans"] == []
    (span,) = back["garble_spans"]
    assert (span["severity"], span["category"], span["better"]) == ("minor", "awkward", "smearing")
    assert (span["start"], span["end"]) == (
        rich_row()["garble_spans"][0]["start"],
        row["garble_spans"][0]["end"],
    )
    origins = {mark.label: mark.origin for mark in review.marks}
    assert origins["Garbled minor"] == "prediction-changed"
    assert origins["Source"] == "prediction"
    assert annotation.parent_prediction is not None


def test_a_better_wording_is_written_for_the_span_it_is_about(studio, title, page):
    row = rich_row()
    row["garble_spans"][0]["better"] = None
    report = push(frame.table([row]), title, server=studio)
    open_task(page, studio, report.project_id)
    marked(page, "pouring water").click()
    box = page.locator(".an-span textarea, .an-span input[type=text]").last
    box.fill("smearing")
    box.press("Enter")
    page.locator(".an-meta").first.click()
    submit(page)
    data, (annotation,) = annotations(studio, report.project_id)
    (span,) = reviewed(to_review(annotation.result, form(), data), form(), row)["garble_spans"]
    assert span["better"] == "smearing"


def test_every_key_does_what_it_says(studio, title, page):
    text = "Alpha met Beta, Gamma and Delta while pouring water."
    names = ("Alpha", "Beta", "Gamma", "Delta")
    row = scored_row(text, stance=[judged(text, name) for name in names])
    report = push(frame.table([row]), title, server=studio)
    open_task(page, studio, report.project_id)
    asked = form()

    def said(control):
        return [r["value"]["choices"] for r in results(page) if r["from_name"] == control]

    for question in (*asked.asked("sentence"), *asked.asked("target")):
        for k, keys in enumerate(question.keys):
            control = question.name if question.scope == "sentence" else f"{question.name}_{k}"
            # Backwards: pressing the key of what is chosen already would clear it.
            for key, choice in reversed(list(zip(keys, question.choices, strict=True))):
                if said(control) != [[choice]]:
                    page.keyboard.press(key)
                assert said(control) == [[choice]], f"{key} does not choose {choice} of {control}"

    def label_of(part):
        return [
            r["value"]["labels"]
            for r in results(page)
            if r["type"] == "labels" and r["value"]["text"] == part
        ]

    for label in asked.labels:
        page.keyboard.press(label.key)
        word = "pouring"
        mark(page, word)
        assert label_of(word) == [[label.value]], f"{label.key} does not mark {label.value}"
        marked(page, word).click()
        for question in asked.asked("span"):
            if label.value in question.labels:
                for key, choice in reversed(list(zip(question.keys[0], question.choices, strict=True))):
                    page.keyboard.press(key)
                    assert said(question.name) == [[choice]], f"{key} does not choose {choice}"
        page.keyboard.press("Backspace")
        assert label_of(word) == []


HOSTILE = (
    '<script>window.hit=1</script><img src=x onerror="window.hit=2"> &lt;b&gt; &amp;amp; &#60;i&#62; '
    "<svg onload=window.hit=3> {{7*7}} $text said it."
)


def test_an_article_with_markup_shows_as_text_and_runs_nothing(studio, title, page):
    name = "<img src=x onerror=window.hit=4>"
    near = [{"article_id": "b", "sentence_id": "b-000000000001", "similarity": 0.9}]
    rows = [
        scored_row(
            HOSTILE, 0, outlet=name, siblings=near, holder_kind="source", attribution=0.9, holder_name=name,
            stance=[judged(HOSTILE, "said") | {"target": name}],
            drift=[{
                "start": 0, "end": 8, "sibling_article_id": "b", "sibling_sentence_id": "b-000000000001",
                "sibling_text": HOSTILE, "kind": name, "probability": 0.5,
            }],
        ),
        scored_row(HOSTILE, 1, start=500),
        scored_row(HOSTILE, 1, "b", outlet=name),
    ]  # fmt: skip
    dialogs = []
    page.on("dialog", lambda dialog: (dialogs.append(dialog.message), dialog.dismiss()))
    report = push(frame.table(rows), title, server=studio)
    assert report.refused == ()
    open_task(page, studio, report.project_id)
    page.wait_for_selector(".an-beside blockquote")
    assert page.locator(".an-sentence").inner_text().strip() == HOSTILE
    assert HOSTILE in page.locator(".an-near").last.inner_text()
    assert page.locator(".an-meta").first.inner_text().startswith(name)
    beside = page.locator(".an-beside").inner_text()
    assert beside.count(HOSTILE) == 2
    assert name in beside
    assert name in page.locator(".an-slot:visible").inner_text()
    assert page.locator(".an-page img, .an-page svg[onload], .an-page script").count() == 0
    assert page.evaluate("window.hit") is None
    assert dialogs == []


UNICODE = {
    "emoji": ("😀 China 🇨🇳 might 👍🏽 smear them.", "might"),
    "zwj": ("The 👩‍👩‍👧‍👦 of China might 🏳️‍🌈 smear.", "smear"),
    "combining": ("Cafe\u0301 in Chi\u0301na mi\u0308ght smear.", "mi\u0308ght"),
    "right to left": ("قال الصين إن ذلك might تشويه them.", "might"),
    "crlf": ("China\r\nsaid it\r\nmight smear\tthem.", "might"),
    "replacement": ("Chi\ufffdna \ufffd\ufffd might smear.", "might"),
}


@pytest.mark.parametrize("name", UNICODE)
def test_a_span_drawn_in_the_browser_has_the_offsets_of_the_text(studio, title, page, name):
    text, word = UNICODE[name]
    target = (
        "الصين" if name == "right to left" else text[text.index("Chi") if "Chi" in text else 0 :].split()[0]
    )
    row = scored_row(text, start=70, stance=[judged(text, target, start=70)])
    report = push(frame.table([row]), title, server=studio)
    open_task(page, studio, report.project_id)
    page.keyboard.press("2")
    double_click(page, word)
    page.wait_for_function(
        "() => Htx.annotationStore.selected.serializeAnnotation()"
        ".some(r => (r.value.labels || []).includes('Hedge'))"
    )
    page.keyboard.press("u")
    submit(page)
    data, (annotation,) = annotations(studio, report.project_id)
    back = reviewed(to_review(annotation.result, form(), data), form(), row)
    assert [(s["start"], s["end"]) for s in back["hedging_spans"]] == [
        tuple(place_of(text, word, 70).values())
    ]
    assert back["stance"][0]["mentions"] == row["stance"][0]["mentions"]
