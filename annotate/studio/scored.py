"""Scores as they are pushed: article by article, never all of them in memory, the first to review chosen.

Scores can be read more than once, so what comes as a stream that cannot is spooled to a temporary file.
"""

from __future__ import annotations

import itertools
import tempfile
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from annotate.errors import UserError
from annotate.frame import SENTENCE_COLUMNS
from annotate.ordering import doubt, most_useful_first
from annotate.scratch import Scratch
from annotate.studio.tasks import Row, Sibling
from annotate.studio.tasks import key as key_of

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

    Frame: TypeAlias = pa.Table | pa.RecordBatch | pd.DataFrame
    Scores: TypeAlias = str | Path | Frame | Iterable[Frame]

BATCH_ROWS = 1024
NEEDED = [name for name, _ in SENTENCE_COLUMNS] + ["model"]


class Scored:
    """A scores frame to be read several times, in `articles()`: `len()` content sentences, and `repeated`
    rows of sentences that stand there already.

    What must be found by name, texts and places in the order of review, is kept in a scratch table on disk,
    so that memory does not grow with it. The same table says which sentences are wanted and which were taken.
    """

    def __init__(self, scores: Scores) -> None:
        self.name, self._path = self._on_disk(scores)
        missing = [name for name in NEEDED if name not in self._file().schema_arrow.names]
        if missing:
            raise UserError(
                f"{self.name} holds no scores: the column “{missing[0]}” is missing; "
                "make it with `annotate score … --out scores.parquet`"
            )
        self._table = Scratch(
            "CREATE TABLE sentence (key TEXT PRIMARY KEY, id TEXT, outlet TEXT, text TEXT, "
            "doubt REAL, place INTEGER, state INTEGER)"
        )
        content = self._survey()
        self._ranked = self._rank()
        self.repeated = content - self._ranked

    def __len__(self) -> int:
        return self._ranked

    def articles(self) -> Iterator[list[Row]]:
        """The rows of each article in order; rows of one article stand together."""
        article: list[Row] = []
        for row in self._rows():
            if article and row["article_id"] != article[0]["article_id"]:
                yield article
                article = []
            article.append(row)
        if article:
            yield article

    def sibling(self, sentence_id: str) -> Sibling | None:
        """What is shown of a sentence beside another."""
        found = self._table.one("SELECT outlet, text FROM sentence WHERE id = ?", sentence_id)
        return Sibling(*found) if found else None

    def place(self, key: str) -> float | None:
        """A content sentence's place in the order of review, above 0 for the first to 1 for the last."""
        found = self._table.one("SELECT place FROM sentence WHERE key = ?", key)
        return found[0] / self._ranked if found and found[0] else None

    def want(self, at_most: int | None = None) -> int:
        """Want the sentences that are first to review among those not wanted yet, all where no number is
        given; how many these are."""
        more = (
            "UPDATE sentence SET state = 1 WHERE key IN "
            "(SELECT key FROM sentence WHERE place > 0 AND state IS NULL ORDER BY place LIMIT ?)"
        )
        return self._table.change(more, -1 if at_most is None else at_most)

    def want_known(self, known: Callable[[list[str]], Iterable[str]], size: int) -> int:
        """Want the sentences whose keys are known, asked for so many at a time; how many these are."""
        wanted, keys = 0, self._keys("place > 0")
        while part := list(itertools.islice(keys, size)):
            there = [(key,) for key in known(part)]
            self._table.change_each("UPDATE sentence SET state = 1 WHERE key = ?", there)
            wanted += len(there)
        return wanted

    def take(self, article: Iterable[Row]) -> set[str]:
        """The keys of an article that are wanted and were not taken before; they are taken now."""
        keys = [key_of(row["sentence_id"], row["text"]) for row in article if not row["boilerplate"]]
        taking = "UPDATE sentence SET state = 2 WHERE key = ? AND state = 1"
        return {key for key in keys if self._table.change(taking, key)}

    def taken(self) -> Iterator[str]:
        """The keys that were taken."""
        return self._keys("state = 2")

    def _keys(self, condition: str) -> Iterator[str]:
        # By number, not by one cursor: the table may change between two of them.
        last = 0
        asked = f"SELECT rowid, key FROM sentence WHERE rowid > ? AND {condition} ORDER BY rowid LIMIT 1000"
        while some := list(self._table.every(asked, last)):
            last = some[-1][0]
            yield from (key for _, key in some)

    def _survey(self) -> int:
        """Fill the table; how many sentences are content."""
        names = self._file().schema_arrow.names
        wanted = ("article_id", "sentence_id", "outlet", "text", "boilerplate", "uncertainty")
        content = 0

        def told() -> Iterator[tuple[str, str, str, str, float | None]]:
            nonlocal content
            for row in self._rows([name for name in wanted if name in names]):
                content += not row["boilerplate"]
                yield (
                    key_of(row["sentence_id"], row["text"]),
                    row["sentence_id"],
                    row["outlet"] or row["article_id"],
                    row["text"],
                    None if row["boilerplate"] else doubt(row.get("uncertainty")),
                )

        filled = "INSERT OR IGNORE INTO sentence (key, id, outlet, text, doubt) VALUES (?, ?, ?, ?, ?)"
        self._table.change_each(filled, told())
        self._table.change("CREATE INDEX by_id ON sentence (id)")
        return content

    def _rank(self) -> int:
        every = "SELECT {} FROM sentence WHERE doubt IS NOT NULL ORDER BY rowid"
        doubts = np.fromiter((d for (d,) in self._table.every(every.format("doubt"))), dtype=float)
        numbers = np.fromiter((n for (n,) in self._table.every(every.format("rowid"))), dtype=int)
        texts = (text for (text,) in self._table.every(every.format("text")))
        order = most_useful_first(texts, doubts)
        placed = ((place, int(numbers[i])) for place, i in enumerate(order, 1))
        self._table.change_each("UPDATE sentence SET place = ? WHERE rowid = ?", placed)
        self._table.change("CREATE INDEX by_place ON sentence (place)")
        return len(order)

    def _on_disk(self, scores: Scores) -> tuple[str, Path]:
        import pandas as pd
        import pyarrow as pa
        import pyarrow.parquet as pq

        if isinstance(scores, (str, Path)):
            return str(scores), Path(scores)
        tables = [scores] if isinstance(scores, (pa.Table, pa.RecordBatch, pd.DataFrame)) else scores
        self._scratch = tempfile.TemporaryDirectory(prefix="annotate-", ignore_cleanup_errors=True)
        path = Path(self._scratch.name) / "scores.parquet"
        writer, first = None, None
        for table in tables:
            arrow = _arrow(table)
            first = first or arrow.schema
            writer = writer or pq.ParquetWriter(path, first)
            writer.write_table(arrow.cast(first))
        if writer is None:
            raise UserError("there are no scores to push")
        writer.close()
        return "the scores", path

    def _file(self) -> Any:
        import pyarrow as pa
        import pyarrow.parquet as pq

        try:
            return pq.ParquetFile(self._path)
        except FileNotFoundError:
            raise UserError(
                f"{self.name} does not exist; make it with `annotate score … --out FILE`"
            ) from None
        except (pa.ArrowInvalid, OSError):
            raise UserError(f"{self.name} is no parquet file of scores, or a damaged one") from None

    def _rows(self, columns: list[str] | None = None) -> Iterator[Row]:
        with self._file() as file:
            for batch in file.iter_batches(batch_size=BATCH_ROWS, columns=columns):
                yield from batch.to_pylist()


def _arrow(frame: Frame) -> pa.Table:
    import pandas as pd
    import pyarrow as pa

    from annotate.frame import schema

    if isinstance(frame, pa.Table):
        return frame
    if isinstance(frame, pa.RecordBatch):
        return pa.Table.from_batches([frame])
    if isinstance(frame, pd.DataFrame):
        declared = schema()
        fields = [declared.field(name) for name in frame.columns if name in declared.names]
        return pa.Table.from_pandas(frame, schema=pa.schema(fields), preserve_index=False)
    raise UserError(
        f"scores come as a parquet path, an Arrow table or a data frame, not as {type(frame).__name__}"
    )
