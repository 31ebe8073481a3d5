"""Scores for the eye: one line per sentence, its spans coloured, in a terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pyarrow as pa
    from rich.console import Console
    from rich.text import Text

BARS = " ▁▂▃▄▅▆▇█"
STANCE_SIGN = {"against": ("−", "bold red"), "neutral": ("·", "dim"), "favor": ("+", "bold green")}
SPAN_STYLES = (
    ("attribution_spans", lambda span: "italic" if span["role"] == "content" else "green"),
    ("hedging_spans", lambda span: "black on cyan"),
    ("loaded_spans", lambda span: "black on magenta"),
    ("garble_spans", lambda span: "bold white on red" if span["severity"] == "major" else "black on yellow"),
)
HOLDER_WIDTH, TARGET_WIDTH = 16, 14


class Lines:
    """Writes the tables of the scores frame to a rich console; content sentences only."""

    def __init__(self, console: Console) -> None:
        self.console = console
        self.article: str | None = None

    def write(self, table: pa.Table) -> None:
        for row in table.to_pylist():
            if row["article_id"] != self.article:
                self.article = row["article_id"]
                self.header(row)
            if not row["boilerplate"]:
                self.console.print(line(row), no_wrap=True, overflow="ellipsis", crop=True, soft_wrap=False)

    def header(self, row: dict[str, Any]) -> None:
        from rich.text import Text

        title = row["article_id"] + (f" · {row['outlet']}" if row["outlet"] else "")
        self.console.print()
        self.console.print(Text(title, style="bold underline"))
        self.console.print(Text(f"{'H L G':6}{'says':{HOLDER_WIDTH}} {'toward':{TARGET_WIDTH}}", style="dim"))

    def legend(self) -> None:
        """What the columns and colours mean."""
        from rich.text import Text

        legend = Text("\nH hedging, L loaded, G garble: the higher the bar the surer. Spans: ")
        for name, style in (
            ("hedge", "black on cyan"),
            ("loaded", "black on magenta"),
            ("minor", "black on yellow"),
            ("major", "bold white on red"),
            ("source and cue", "green"),
            ("what they say", "italic"),
        ):
            legend.append(name, style=style).append("  ")
        self.console.print(legend)


def line(row: dict[str, Any]) -> Text:
    """A content row as one line."""
    from rich.text import Text

    found = Text()
    for name in ("hedging", "loaded", "garble"):
        found.append(
            f"{bar(row[name] or 0)} ",
            style="red" if name == "garble" else "cyan" if name == "hedging" else "magenta",
        )
    holder = (row["holder_name"] or "a source") if row["holder_kind"] == "source" else ""
    found.append(f"{shortened(holder, HOLDER_WIDTH):{HOLDER_WIDTH}} ", style="green")
    toward = Text()
    for stance in row["stance"] or ():
        sign, style = STANCE_SIGN[stance["label"]]
        toward.append(sign, style=style).append(initials(stance["target"]) + " ")
    toward.truncate(TARGET_WIDTH, pad=True)
    return found.append(toward).append(" ").append(marked(row))


def marked(row: dict[str, Any]) -> Text:
    """The sentence with its spans in their styles; line breaks and other controls show as blanks."""
    from rich.text import Text

    text = Text("".join(c if c.isprintable() else " " for c in row["text"]))
    for column, style in SPAN_STYLES:
        for span in row[column] or ():
            text.stylize(style(span), span["start"] - row["start"], span["end"] - row["start"])
    return text


def bar(probability: float) -> str:
    """A probability as one of nine heights."""
    return BARS[min(len(BARS) - 1, round(probability * (len(BARS) - 1)))]


def shortened(text: str, width: int) -> str:
    """Cut with an ellipsis where it is too long."""
    return text if len(text) <= width else text[: width - 1] + "…"


def initials(target: str) -> str:
    """A target in a few letters: United States is US."""
    words = target.split()
    return "".join(w[0] for w in words).upper() if len(words) > 1 else shortened(target, 8)
