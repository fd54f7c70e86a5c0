"""`mht build` as the command runs it, its report told in JSON instead of in a table for people."""

from __future__ import annotations

import sys
import time

from benchmarks.contestants.words import Told, read_words, tell


def main(told: Told) -> None:
    from mht.config import load
    from mht.dataset.build import build
    from mht.dataset.progress import ProgressLine
    from mht.stopping import StopRequest

    words = ["source.kind=folder", f"source.path={told.folder}", f"output={told.output}"]
    config = load(None, [*words, f"build.workers={told.workers}", *told.settings])
    with StopRequest("committed shards are kept") as stop:
        called = time.time()
        report = build(config, ProgressLine(sys.stderr, on=True), stop.pulse)
    began = called + report.startup_s
    tell(
        began,
        began + report.work_s,
        images=report.books.total("out"),
        pairs=report.books.total("pairs"),
        images_in=report.books.total("in"),
        bytes=report.books.bytes,
        memory_bytes=report.memory_bytes,
        work_s=report.work_s,
        startup_s=report.startup_s,
    )


if __name__ == "__main__":
    main(read_words())
