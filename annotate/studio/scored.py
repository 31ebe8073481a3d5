"""Scores as they are pushed: article by article, never all of them in memory.

Scores can be read more than once, so what comes as a stream that cannot is spooled to a temporary file.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

from annotate.errors import UserError
from annotate.frame import SENTENCE_COLUMNS
from annotate.studio.tasks import Row, Sibling

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

    Frame: TypeAlias = pa.Table | pa.RecordBatch | pd.DataFrame
    Scores: TypeAlias = str | Path | Frame | Iterable[Frame]

BATCH_ROWS = 1024
NEEDED = [name for name, _ in SENTENCE_COLUMNS] + ["model"]


class Scored:
    """A scores frame to be read several times: `len()` content sentences, in `articles()`."""

    def __init__(self, scores: Scores) -> None:
        self.name, self._path = self._on_disk(scores)
        missing = [name for name in NEEDED if name not in self._file().schema_arrow.names]
        if missing:
            raise UserError(
                f"{self.name} holds no scores: the column “{missing[0]}” is missing; "
                "make it with `annotate score … --out scores.parquet`"
            )
        self._content, wanted = self._survey()
        self.siblings = self._texts(wanted)

    def __len__(self) -> int:
        return self._content

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

    def order(self) -> dict[str, float]:
        """By the id of each content sentence its place in the order of review, above 0 for the first to 1 for
        the last."""
        from annotate.ordering import review_order

        names = self._file().schema_arrow.names
        wanted = [n for n in ("sentence_id", "text", "boilerplate", "uncertainty") if n in names]
        ranks = review_order(self._rows(wanted))
        return {sentence: rank / len(ranks) for sentence, rank in ranks.items()}

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

    def _survey(self) -> tuple[int, set[str]]:
        """How many sentences will be pushed, and the ids of those shown beside them."""
        content = 0
        wanted: set[str] = set()
        names = self._file().schema_arrow.names
        for row in self._rows([name for name in ("boilerplate", "siblings") if name in names]):
            if not row["boilerplate"]:
                content += 1
                wanted.update(near["sentence_id"] for near in row.get("siblings") or ())
        return content, wanted

    def _texts(self, wanted: set[str]) -> dict[str, Sibling]:
        if not wanted:
            return {}
        rows = self._rows(["sentence_id", "outlet", "article_id", "text"])
        return {
            row["sentence_id"]: Sibling(row["outlet"] or row["article_id"], row["text"])
            for row in rows
            if row["sentence_id"] in wanted
        }


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
