"""The watch over the workers, with a clock that is passed in and no Ray."""

from mht.watch import Watch


def test_the_silent_are_told_and_the_totals_kept() -> None:
    now = [100.0]
    watch = Watch(clock=lambda: now[0])
    watch.hear("a", "node", 1, b"handle a", ("train-0", "captions", 0, 0, 0, 0, 0))
    watch.hear("b", "node", 2, b"handle b", ("train-1", "pairs", 50, 400, 3, 0, 0))
    now[0] = 110.0
    watch.hear("b", "node", 2, b"handle b", ("train-1", "word", 50, 410, 0, 900, 7))
    totals, silent = watch.look(patience_s=9.0)
    assert totals == (100, 810, 3, 900, 7)
    assert [(seconds, post.shard, post.stage, post.pid, post.handle) for seconds, post in silent] == [
        (10.0, "train-0", "captions", 1, b"handle a")
    ]
    assert watch.look(patience_s=10.0)[1] == []


def test_who_is_idle_or_forgotten_is_never_silent() -> None:
    now = [0.0]
    watch = Watch(clock=lambda: now[0])
    for worker, pid in (("a", 1), ("b", 2), ("c", 3)):
        watch.hear(worker, "node", pid, b"", ("train-0", "pairs", 0, 0, 0, 0, 0))
    watch.hear("a", "node", 1, b"", ("train-0", "idle", 0, 0, 0, 0, 0))
    watch.forget(2, "node")
    watch.forget(3, "another node")
    now[0] = 60.0
    assert [post.pid for _, post in watch.look(patience_s=1.0)[1]] == [3]
