"""Sentences that report the same thing, one under the other in a terminal, their drifts marked."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pyarrow as pa
    from rich.console import Console
    from rich.text import Text

OUTLET_WIDTH = 18


class Groups:
    """Writes tables of `annotate.siblings.groups` to a rich console."""

    def __init__(self, console: Console) -> None:
        self.console = console
        self.event: int | None = None
        self.group: tuple[int, int] | None = None

    def write(self, table: pa.Table) -> None:
        """Each group under its event, a sentence a line."""
        from rich.text import Text

        for row in table.to_pylist():
            if row["event"] != self.event:
                self.event = row["event"]
                self.console.print(Text(f"\nEvent {row['event'] + 1}", style="bold underline"))
            if (row["event"], row["group"]) != self.group:
                self.group = (row["event"], row["group"])
                self.console.print()
            self.console.print(line(row), soft_wrap=True)
            for drift in row["drift"]:
                self.console.print(against(row, drift), soft_wrap=True)


def line(row: dict[str, Any]) -> Text:
    """Outlet and sentence."""
    from rich.text import Text

    outlet = (row["outlet"] or row["article_id"])[:OUTLET_WIDTH]
    text = Text("".join(c if c.isprintable() else " " for c in row["text"]))
    for drift in row["drift"]:
        text.stylize("bold white on red", drift["start"] - row["start"], drift["end"] - row["start"])
    return Text(f"{outlet:{OUTLET_WIDTH}} ", style="green").append(text)


def against(row: dict[str, Any], drift: dict[str, Any]) -> Text:
    """What a drift is, and what the sibling has instead."""
    from rich.text import Text

    own = row["text"][drift["start"] - row["start"] : drift["end"] - row["start"]]
    theirs = f"“{drift['sibling_text']}”" if drift["sibling_text"] else "nothing"
    where = f"{drift['sibling_article_id']} ({drift['probability']:.0%})"
    said = f"{drift['kind']}: “{own}” here, {theirs} in {where}"
    return Text(" " * (OUTLET_WIDTH + 1) + said, style="dim")
