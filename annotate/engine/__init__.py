"""An archive scored partition by partition, in one process or on a cluster, by the same functions.

A partition is a parquet file of articles; each gives one parquet file of the scores frame, whole or not at
all. `run.score_archive` is the way in.
"""

from annotate.engine.run import Archive, Report, score_archive

__all__ = ["Archive", "Report", "score_archive"]
