"""Files, folders and standard input to articles: what is read, and what is said when it cannot be."""

from __future__ import annotations

import csv
import io
import json
import os
import subprocess
import sys
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from annotate.errors import UserError
from annotate.reading import COLUMNS, Problem, find_targets_file, read

CHINA = "China launched an initiative on data security on Tuesday."
STATES = "The United States did not answer at once, a spokesman said."


def reading(*paths: Path | str, **options):
    """The articles, and the problems told meanwhile."""
    problems: list[Problem] = []
    return list(read(paths, on_problem=problems.append, **options)), problems


def only(problems: list[Problem], *, error: bool = True) -> str:
    """The one problem there is; it must be one sentence."""
    assert len(problems) == 1, problems
    assert problems[0].error is error
    assert "\n" not in str(problems[0])
    return str(problems[0])


@pytest.fixture
def file(tmp_path):
    def write(name: str, content: str | bytes) -> Path:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    return write


# Documents


def test_a_text_file_is_one_article_named_by_its_stem(file):
    articles, problems = reading(file("000_b5.txt", f"{CHINA}\r\n{STATES}\r\n"))
    assert [(a.id, a.text, a.language) for a in articles] == [("000_b5", f"{CHINA}\r\n{STATES}\r\n", "en")]
    assert not problems


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-32"])
def test_the_byte_order_mark_names_the_encoding_and_is_not_part_of_the_text(file, encoding):
    text = CHINA + " 😀 “é”"
    articles, problems = reading(file("a.txt", text.encode(encoding)))
    assert [a.text for a in articles] == [text]
    assert not problems


def test_a_wrong_encoding_is_told_with_the_byte_and_its_place_and_never_guessed(file):
    articles, problems = reading(file("a.txt", (CHINA + " Café").encode("cp1252")), file("b.txt", STATES))
    said = only(problems)
    assert "a.txt" in said
    assert f"0xe9 at offset {len(CHINA) + 4}" in said
    assert "iconv" in said
    assert [a.id for a in articles] == ["b"]


def test_a_binary_file_is_told(file):
    assert "binary" in only(reading(file("a.txt", bytes(range(256)) * 8))[1])
    assert "binary" in only(reading(file("b.txt", b"\x00\x01\x02\x03" * 100))[1])


def test_utf_16_without_a_mark_is_told(file):
    assert "UTF-16" in only(reading(file("a.txt", CHINA.encode("utf-16-le")))[1])


def test_nul_and_lone_surrogates_become_one_replacement_character_each(file):
    articles, problems = reading(
        file("a.txt", CHINA.replace(" ", "\0", 1)),
        file("b.jsonl", json.dumps({"text": STATES + "\ud83d", "title": "a\0b"})),
        file("c.txt", STATES.encode() + b" \xed\xa0\x80 and so on"),
    )
    assert [a.text for a in articles] == [
        CHINA.replace(" ", "\ufffd", 1),
        STATES + "\ufffd",
        STATES + " \ufffd and so on",
    ]
    assert articles[1].title == "a\ufffdb"
    assert [problem.error for problem in problems] == [False] * 3
    assert "U+FFFD" in str(problems[0])


PAGE = f"""<!doctype html><html lang="en"><head><meta charset="utf-8"><title>China answers | The Bugle</title>
<meta property="og:site_name" content="The Bugle"><link rel="canonical" href="https://bugle.example/china">
<meta property="article:published_time" content="2020-09-08T10:00:00Z"><script>alert("no")</script></head>
<body><nav><a href="/">Home</a></nav><article><h1>China answers</h1>
<p>{CHINA} &lt;b&gt; &amp; more.</p><p>{STATES}
It later called the plan “empty words”.</p></article><footer>© 2020 The Bugle</footer></body></html>"""


@pytest.mark.parametrize("name", ["page.html", "page.HTM"])
def test_a_web_page_gives_its_article_with_what_it_says_of_itself(file, name):
    articles, problems = reading(file(name, PAGE))
    assert not problems
    (article,) = articles
    assert CHINA + " <b> & more." in article.text
    assert "empty words" in article.text
    assert "alert" not in article.text
    assert "©" not in article.text
    assert (article.title, article.outlet, article.date, article.url) == (
        "China answers",
        "The Bugle",
        "2020-09-08",
        "https://bugle.example/china",
    )


def test_a_web_page_may_declare_its_encoding(file):
    page = (
        PAGE.replace("utf-8", "iso-8859-1")
        .replace("empty words", "café words")
        .replace("“", '"')
        .replace("”", '"')
    )
    articles, problems = reading(file("a.html", page.encode("cp1252")))
    assert not problems
    assert "café words" in articles[0].text


def test_a_web_page_without_an_article_is_told(file):
    assert "no article" in only(reading(file("a.html", "<html><body></body></html>"))[1])


@pytest.mark.parametrize("name", ["a.txt", "a.html", "a.csv", "a.jsonl", "a.parquet"])
def test_an_empty_file_is_told(file, name):
    articles, problems = reading(file(name, b""))
    assert not articles
    assert "a." in only(problems)


def test_a_file_of_blanks_is_told_to_be_empty(file):
    assert "empty" in only(reading(file("a.txt", " \n\t\n"))[1])


def test_a_missing_file_is_told_and_the_rest_is_read(file, tmp_path):
    articles, problems = reading(tmp_path / "nowhere.txt", file("a.txt", CHINA))
    assert "nowhere.txt" in only(problems)
    assert len(articles) == 1


def test_a_kind_of_file_that_is_not_read_is_told_with_those_that_are(file):
    said = only(reading(file("a.docx", b"PK"))[1])
    assert "a.docx" in said
    assert ".parquet" in said


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_file_that_may_not_be_read_is_told(file):
    path = file("a.txt", CHINA)
    path.chmod(0)
    assert "ermission" in only(reading(path)[1])


# Tables


def test_a_csv_is_read_by_its_declared_columns_and_others_are_ignored(file):
    rows = [
        ["title", "text", "id", "mood", "outlet"],
        ["T", CHINA + ',\n"quoted"', "7", "good", ""],
        ["", STATES, "", "", "X"],
    ]
    out = io.StringIO()
    csv.writer(out).writerows(rows)
    articles, problems = reading(file("many.csv", "\ufeff" + out.getvalue()))
    assert not problems
    assert [(a.id, a.text, a.title, a.outlet) for a in articles] == [
        ("7", CHINA + ',\n"quoted"', "T", None),
        ("many:2", STATES, None, "X"),
    ]


def test_a_csv_field_may_be_very_long(file):
    long = CHINA * 10_000
    articles, problems = reading(file("a.csv", f"text\n{long}\n"))
    assert not problems
    assert articles[0].text == long


def test_a_csv_without_a_text_column_is_told_with_the_columns_found(file):
    said = only(reading(file("a.csv", f"id;body\n1;{CHINA}\n"))[1])
    assert "`text`" in said
    assert "id;body" in said
    assert "commas" in said


def test_a_csv_row_with_a_comma_too_many_is_named_and_the_rest_is_read(file):
    articles, problems = reading(file("a.csv", f'id,text\n1,China, it said, left.\n2,"{STATES}"\n'))
    said = only(problems)
    assert "row 1 (line 2)" in said
    assert "quotes" in said
    assert [a.id for a in articles] == ["2"]


def test_a_csv_quote_left_open_is_named_by_the_line_where_it_opens(file):
    articles, problems = reading(file("a.csv", f'text\n"{CHINA}"\n"{STATES}\nmore\n'))
    assert "line 3" in only(problems)
    assert [a.text for a in articles] == [CHINA]


def test_rows_of_a_wrong_encoding_are_named_and_the_rest_is_read(file):
    articles, problems = reading(
        file("a.csv", b"text\n" + CHINA.encode() + b"\nCaf\xe9 owners\n"),
        file("b.jsonl", b'{"text": "Caf\xe9"}\n' + json.dumps({"text": STATES}).encode()),
    )
    assert [a.text for a in articles] == [CHINA, STATES]
    assert "row 2 (line 3): byte 0xe9" in str(problems[0])
    assert "line 1: byte 0xe9" in str(problems[1])


def test_a_table_of_the_wrong_encoding_does_not_name_a_thousand_rows(file):
    _, problems = reading(file("a.csv", b"text\n" + b"Caf\xe9\n" * 1000))
    assert len(problems) == 21
    assert "980 more rows" in str(problems[-1])


def test_a_broken_jsonl_line_is_named_and_the_rest_is_read(file):
    lines = [
        json.dumps({"text": CHINA, "id": 5}),
        '{"text": "broken',
        "",
        json.dumps({"text": STATES}),
        "[1]",
    ]
    articles, problems = reading(file("a.ndjson", "\n".join(lines)))
    assert [(a.id, a.text) for a in articles] == [("5", CHINA), ("a:4", STATES)]
    assert "line 2" in str(problems[0])
    assert "line 5" in str(problems[1])
    assert len(problems) == 2


@pytest.mark.parametrize("row", [{"body": "x"}, {"text": None}, {"text": 5}, {"text": ["a"]}, {"text": "  "}])
def test_a_row_without_a_text_is_named_with_the_field(file, row):
    articles, problems = reading(file("a.jsonl", json.dumps(row) + "\n" + json.dumps({"text": CHINA})))
    assert len(articles) == 1
    said = only(problems)
    assert "line 1" in said
    assert "text" in said


def test_a_table_that_breaks_off_within_a_character_is_told_and_what_came_before_is_kept(file):
    rows = "\n".join(json.dumps({"text": text}) for text in (CHINA, STATES)) + "\n"
    articles, problems = reading(file("a.jsonl", rows.encode("utf-16") + b"\n"))
    assert "a.jsonl" in only(problems)
    assert len(articles) <= 2


def test_a_parquet_is_read_by_its_declared_columns(tmp_path):
    import datetime

    path = tmp_path / "p.parquet"
    pq.write_table(
        pa.table(
            {"text": [CHINA, STATES, None], "date": [datetime.date(2020, 9, 8), None, None], "x": [1, 2, 3]}
        ),
        path,
    )
    articles, problems = reading(path)
    assert [(a.id, a.text, a.date) for a in articles] == [("p:1", CHINA, "2020-09-08"), ("p:2", STATES, None)]
    assert "row 3" in only(problems)


def test_a_damaged_parquet_is_told(file, tmp_path):
    path = tmp_path / "p.parquet"
    pq.write_table(pa.table({"text": [CHINA] * 50}), path)
    whole = path.read_bytes()
    assert "parquet" in only(reading(file("cut.parquet", whole[: len(whole) // 2]))[1])
    assert "parquet" in only(reading(file("text.parquet", CHINA))[1])


def test_a_parquet_without_a_text_column_is_told(tmp_path):
    path = tmp_path / "p.parquet"
    pq.write_table(pa.table({"body": [CHINA]}), path)
    assert "body" in only(reading(path)[1])


def test_every_declared_column_arrives(file):
    row = {column: f"{column} of it" for column in COLUMNS} | {"text": CHINA, "language": "en-GB"}
    articles, _ = reading(file("a.jsonl", json.dumps(row)))
    assert {column: getattr(articles[0], column) for column in COLUMNS} == row


def test_reading_begins_before_a_table_ends(file):
    articles = read([file("a.jsonl", json.dumps({"text": CHINA}) + "\n" + "{broken")])
    assert next(articles).text == CHINA
    with pytest.raises(UserError, match="line 2"):
        next(articles)


# Folders


def test_a_folder_is_read_with_the_folders_in_it_in_the_order_of_names(file, tmp_path):
    for name in ("b.txt", "a/z.txt", "a/b.html", "c.jsonl"):
        file(
            name,
            {"b.html": PAGE, "c.jsonl": json.dumps({"text": STATES + " c"})}.get(
                Path(name).name, f"{CHINA} {name}"
            ),
        )
    articles, problems = reading(tmp_path)
    assert [a.id for a in articles] == ["b", "c:1", "a/b", "a/z"]
    assert not problems


def test_labels_targets_hidden_files_and_other_suffixes_are_passed_over_in_a_folder(file, tmp_path):
    file("a.txt", CHINA)
    for name in (
        "README.md",
        "photo.png",
        ".hidden.txt",
        ".git/x.txt",
        "gold.jsonl",
        "siblings.jsonl",
        "targets.yaml",
    ):
        file(name, "no article")
    articles, problems = reading(tmp_path)
    assert [a.id for a in articles] == ["a"]
    assert not problems


def test_a_path_alone_will_do_for_a_list_of_one(file):
    assert [a.id for a in read(str(file("a.txt", CHINA)))] == ["a"]


def test_a_path_no_system_would_take_is_told():
    assert "cannot be read" in only(reading("x" * 5000)[1])


def test_a_folder_without_articles_is_told(file, tmp_path):
    file("README.md", "nothing")
    assert "no article" in only(reading(tmp_path)[1])


def test_an_article_that_came_before_is_skipped_and_another_of_its_name_is_set_aside(file):
    same, other = file("x/a.txt", CHINA), file("z/a.txt", STATES)
    articles, problems = reading(file("a.txt", CHINA), same, other)
    assert [a.text for a in articles] == [CHINA]
    assert [problem.error for problem in problems] == [False, True]
    assert str(other) in str(problems[1])


def test_the_targets_file_of_a_folder_or_beside_a_file_is_found(file, tmp_path):
    article = file("a.txt", CHINA)
    assert find_targets_file([tmp_path]) is None
    path = file("targets.yaml", "targets: [China]")
    assert find_targets_file(["-", tmp_path]) == path
    assert find_targets_file([article]) == path


# Standard input


@pytest.fixture
def typed(monkeypatch):
    def type_in(data: bytes) -> None:
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(data)))

    return type_in


def test_standard_input_is_one_article_of_plain_text(typed):
    typed(f"\n{CHINA}\n{{{STATES}\n".encode())
    articles, problems = reading("-")
    assert [(a.id, a.text) for a in articles] == [("stdin", f"\n{CHINA}\n{{{STATES}\n")]
    assert not problems


def test_standard_input_may_be_json_lines(typed):
    typed(b"\xef\xbb\xbf\n" + "\n".join(json.dumps({"text": text}) for text in (CHINA, STATES)).encode())
    articles, problems = reading("-")
    assert [(a.id, a.text) for a in articles] == [("stdin:2", CHINA), ("stdin:3", STATES)]
    assert not problems


def test_a_first_line_of_json_that_is_broken_is_named_and_the_rest_is_read(typed):
    typed(b'{"text": "broken\n' + json.dumps({"text": CHINA}).encode())
    articles, problems = reading("-")
    assert [a.text for a in articles] == [CHINA]
    assert "line 1" in only(problems)


def test_empty_standard_input_is_told(typed):
    typed(b"")
    assert "standard input" in only(reading("-")[1])


# Languages

CHINESE = "王毅宣布全球数据安全倡议。中国政府严格践行数据安全保护有关原则。"
GERMAN = "China hat am Dienstag eine Initiative zur Datensicherheit vorgestellt, sagte der Außenminister."


def test_an_article_that_is_not_english_is_named_and_left_out_unless_wanted(file):
    paths = [file("zh.txt", CHINESE), file("de.txt", GERMAN), file("en.txt", CHINA)]
    articles, problems = reading(*paths)
    assert [a.id for a in articles] == ["en"]
    assert [problem.error for problem in problems] == [False, False]
    assert "zh.txt" in str(problems[0])
    articles, problems = reading(*paths, any_language=True)
    assert [a.id for a in articles] == ["zh", "de", "en"]
    assert not problems


@pytest.mark.parametrize(
    "text", ["China", "Al-Shabaab.", "US-China", "TRUMP BANS TIKTOK", "No.", "😀", "123", "Xi Jinping"]
)
def test_a_text_too_short_to_tell_is_kept(file, text):
    articles, problems = reading(file("a.txt", text))
    assert [a.text for a in articles] == [text]
    assert not problems


def test_the_language_column_has_the_last_word(file):
    rows = [
        {"text": CHINA, "language": "de"},
        {"text": CHINESE, "language": "English"},
        {"text": CHINA + " So.", "language": "en_US"},
    ]
    articles, problems = reading(file("a.jsonl", "\n".join(map(json.dumps, rows))))
    assert [a.id for a in articles] == ["a:2", "a:3"]
    only(problems, error=False)


# Nobody listening


def test_without_a_listener_an_error_is_raised_and_a_notice_is_warned_about(file, tmp_path):
    with pytest.raises(UserError, match=r"nowhere\.txt"):
        list(read([tmp_path / "nowhere.txt"]))
    with pytest.warns(UserWarning, match="not English"):
        assert not list(read([file("a.txt", CHINESE)]))


def test_importing_the_room_imports_nothing_heavy():
    heavy = (
        "{'pyarrow', 'pandas', 'trafilatura', 'py3langid', 'countryinfo', 'yaml', 'numpy'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", f"import sys, annotate.reading; assert not {heavy}"], check=True)
