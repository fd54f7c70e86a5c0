"""Claim: 2,238 judge calls to a faulty endpoint are >= 10x faster than the official pattern, and none of them is lost.

    python -m benchmarks.judging --save

The endpoint waits 50 ms before it answers, and 2 % of its calls end in a status 500, a reset connection or a body that
is cut JSON. Contestants: `groups of 15` (the official script's pattern: fifteen calls at a time, all of them waited
for, a failed one lost) and `mht evaluate`, whose judge `endpoint` scores as many replies from a file, with many
requests in flight. Seconds are those from the first call to the last answer, as the endpoint saw them: start-up, scores
and report are told apart. `killed` is the same command killed by SIGKILL when half of the calls were answered, and
given again: its seconds are those of both. Scored are the rows with a judgement of four scores; answered twice are the
rows that were paid for again: at a kill those that were on their way, of which `lost` had been answered and were not
read, or not kept, yet.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from importlib import metadata
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks.machine import ROOT, busy, describe
from benchmarks.report import markdown, page, save
from mht.evaluation.judges import endpoint as judge
from mht.judgements import Asked
from tests.engines.scripted_endpoint import Endpoint, prompt_of, scripted_endpoint

ROWS = 2238
DELAY_S = 0.05
FAULTS = ("error_500", "reset", "broken_json")
GROUPS, OURS, KILLED = "groups of 15", "mht evaluate", "mht evaluate, killed"
HEAD = (
    "contestant", "seconds (median, min-max)", f"to {GROUPS}", "scored", "calls", "answered twice", "lost",
    "start-up and report s",
)  # fmt: skip
_GRADES = json.dumps({"reason": "none", "accuracy": 7, "relevance": 8, "detail": 6, "safety": 9})


@dataclass(slots=True)
class Seen:
    """What the endpoint answered well: when, and of which row."""

    times: list[float] = field(default_factory=list)
    rows: Counter[str] = field(default_factory=Counter)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def __call__(self, call: Mapping[str, Any]) -> str:
        with self.lock:
            self.times.append(time.perf_counter())
            self.rows[row_of(call)] += 1
        return _GRADES

    @property
    def wall_s(self) -> float:
        return DELAY_S + self.times[-1] - self.times[0]

    @property
    def twice(self) -> int:
        return sum(count - 1 for count in self.rows.values())


@dataclass(frozen=True, slots=True)
class Told:
    """One run: seconds between calls, rows scored, calls made, rows paid for twice, seconds of the command besides.

    `lost` are rows paid for twice whose first answer had been sent before the kill.
    """

    wall_s: float
    scored: int
    calls: int
    twice: int
    besides_s: float
    lost: int = 0


def row_of(call: Mapping[str, Any]) -> str:
    """The answer that is judged names its row."""
    text = prompt_of(dict(call))
    at = text.index("in case ")
    return text[at : at + 15]


def faults(seed: int, share: float) -> list[str]:
    """A turn for each call, more than any contestant makes."""
    rng = random.Random(seed)
    return [rng.choice(FAULTS) if rng.random() < share else "fine" for _ in range(4 * ROWS)]


def text_of(number: int) -> dict[str, str]:
    return {
        "row_id": f"{number:07d}",
        "question": f"Is there a fracture of the left rib in case {number:07d} ?",
        "answer": "Yes, there is a fracture of the seventh rib on the left.",
        "reply": f"There is no fracture to be seen in case {number:07d} ; the lungs are clear.",
    }


def write_rows(folder: Path, rows: int) -> None:
    """The table of questions, the replies of a model, and the payloads of the other contestant."""
    texts = [text_of(number) for number in range(rows)]
    (folder / "table.jsonl").write_text("".join(json.dumps(text) + "\n" for text in texts))
    (folder / "replies.jsonl").write_text("".join(json.dumps(text) + "\n" for text in texts))
    payloads = []
    for text in texts:
        asked = Asked(text["row_id"], text["question"], text["answer"], text["reply"])
        [request] = judge.ask(asked, None, judge.Params(), 0)
        messages = [
            {"role": "system", "content": request.system}, {"role": "user", "content": request.prompt}
        ]  # fmt: skip
        payloads.append({"model": "m", "messages": messages, "max_tokens": 256, "temperature": 0})
    (folder / "payloads.json").write_text(json.dumps(payloads))


def command(folder: Path, output: Path, at: Endpoint, concurrency: int) -> list[str]:
    words = [
        f"output={output}", f"predictions.path={folder / 'replies.jsonl'}",
        "benchmarks.asked.kind=table", f"benchmarks.asked.path={folder / 'table.jsonl'}",
        "benchmarks.asked.id=row_id", "benchmarks.asked.image=null", "benchmarks.asked.text_only=true",
        "judges.endpoint.model.model=m", f"judges.endpoint.model.base_url={at.base_url}",
        f"judges.endpoint.model.concurrency={concurrency}", "judges.endpoint.probes=false",
        'metrics.only=[judged]', "run.progress=false",
    ]  # fmt: skip
    return [sys.executable, "-m", "mht.cli", "evaluate", *words]


def groups(folder: Path, at: Endpoint, seen: Seen) -> Told:
    """The official pattern."""
    words = [sys.executable, "-m", "benchmarks.contestants.judge_groups", str(folder / "payloads.json")]
    started = time.perf_counter()
    done = subprocess.run(
        [*words, f"{at.base_url}/chat/completions"], capture_output=True, check=True, cwd=ROOT, text=True
    )
    took_s, told = time.perf_counter() - started, json.loads(done.stdout)
    return Told(told["wall_s"], told["whole"], len(at.calls), seen.twice, took_s - told["wall_s"])


def ours(folder: Path, at: Endpoint, seen: Seen, concurrency: int) -> Told:
    """The command, once."""
    output = Path(tempfile.mkdtemp(dir=folder))
    started = time.perf_counter()
    _run(command(folder, output, at, concurrency))
    besides_s = time.perf_counter() - started - seen.wall_s
    return Told(seen.wall_s, scored(output), len(at.calls), seen.twice, besides_s)


def killed(folder: Path, at: Endpoint, seen: Seen, concurrency: int) -> Told:
    """The command, killed when half of the calls were answered, and again."""
    output = Path(tempfile.mkdtemp(dir=folder))
    words = command(folder, output, at, concurrency)
    rows = len((folder / "table.jsonl").read_text().splitlines())
    started = time.perf_counter()
    with subprocess.Popen(words, env=_environment(), cwd=ROOT, stdout=subprocess.DEVNULL) as process:
        while len(seen.times) < rows / 2 and process.poll() is None:
            time.sleep(0.002)
        with seen.lock:
            sent = set(seen.rows)
        process.send_signal(signal.SIGKILL)
    first_s, half = seen.wall_s, len(seen.times)
    _run(words)
    took_s = time.perf_counter() - started
    wall_s = first_s + DELAY_S + seen.times[-1] - seen.times[half]
    lost = sum(seen.rows[row] > 1 for row in sent)
    return Told(wall_s, scored(output), len(at.calls), seen.twice, took_s - wall_s, lost)


def scored(output: Path) -> int:
    """Rows with four scores, by the run's own account."""
    told = json.loads((output / "scores.json").read_text())["scores"]["asked"]
    return int(next(one["n"] for one in told if one["name"].startswith("judged.accuracy")))


def _run(words: Sequence[str]) -> None:
    subprocess.run(words, env=_environment(), cwd=ROOT, check=True, capture_output=True)


def _environment() -> dict[str, str]:
    return os.environ | {"RAY_AUTH_MODE": "disabled", "OMP_NUM_THREADS": "1"}


def race(folder: Path, rows: int, repeats: int, concurrency: int, share: float) -> dict[str, list[Told]]:
    """Each contestant in turn, against an endpoint of its own with the same faults."""
    write_rows(folder, rows)
    found: dict[str, list[Told]] = {GROUPS: [], OURS: [], KILLED: []}
    for repeat in range(repeats):
        for name, told in found.items():
            seen = Seen()
            with scripted_endpoint(faults(repeat, share), DELAY_S, seen) as at:
                if name == GROUPS:
                    told.append(groups(folder, at, seen))
                else:
                    told.append((ours if name == OURS else killed)(folder, at, seen, concurrency))
    return found


def lines(found: Mapping[str, Sequence[Told]], rows: int) -> list[tuple[str, ...]]:
    """A line of the table for each contestant; of rows the worst repeat is told."""
    slowest = median(one.wall_s for one in found[GROUPS])
    made = list[tuple[str, ...]]()
    for name, told in found.items():
        walls = [one.wall_s for one in told]
        made.append((
            name, f"{median(walls):.2f} ({min(walls):.2f}-{max(walls):.2f})", f"{slowest / median(walls):.1f}",
            f"{min(one.scored for one in told):,} of {rows:,}", f"{max(one.calls for one in told):,}",
            f"{max(one.twice for one in told)}", f"{max(one.lost for one in told)}",
            f"{median(one.besides_s for one in told):.1f}",
        ))  # fmt: skip
    return made


def main(given_words: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.judging", description="Judging by an endpoint that fails now and then."
    )
    parser.add_argument("--rows", type=int, default=ROWS)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--concurrency", type=int, default=256, help="requests of ours in flight")
    parser.add_argument("--faults", type=float, default=0.02, help="share of the calls")
    parser.add_argument("--save", action="store_true", help="keep the table in benchmarks/results/")
    given = parser.parse_args(given_words)
    facts = describe({"aiohttp": metadata.version("aiohttp")})
    notes = [
        "others wanted the cores, too: the groups wait and lose little by it, ours is bound by a core, so that the "
        "ratio is too low"
    ] if busy() else []  # fmt: skip
    with tempfile.TemporaryDirectory(prefix="mht-bench-") as place:
        found = race(Path(place), given.rows, given.repeats, given.concurrency, given.faults)
    title = (
        f"Judging {given.rows:,} replies: {1000 * DELAY_S:.0f} ms a call, {100 * given.faults:g} % faults, "
        f"{given.concurrency} in flight, {given.repeats} repeats"
    )
    text = page(title, facts, markdown(HEAD, lines(found, given.rows)), notes)
    print(text)
    if given.save:
        print(f"kept in {save('judging', text)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
