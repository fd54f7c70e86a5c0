"""The official pattern of judging: fifteen calls at a time, all of a group waited for, a failed one lost.

    python -m benchmarks.contestants.judge_groups PAYLOADS.json URL

Prints a line of JSON: how many replies came back whole, and the seconds from the first call to the last reply.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import aiohttp

GROUP = 15


async def one(session: aiohttp.ClientSession, url: str, payload: Any) -> str:
    async with session.post(url, json=payload) as response:
        response.raise_for_status()
        told = json.loads(await response.read())
        return str(told["choices"][0]["message"]["content"])


async def judged(url: str, payloads: Sequence[Any]) -> int:
    """How many replies came back."""
    whole = 0
    async with aiohttp.ClientSession() as session:
        for at in range(0, len(payloads), GROUP):
            calls = (one(session, url, payload) for payload in payloads[at : at + GROUP])
            found = await asyncio.gather(*calls, return_exceptions=True)
            whole += sum(isinstance(reply, str) for reply in found)
    return whole


def main(words: Sequence[str]) -> None:
    payloads = json.loads(Path(words[0]).read_text())
    started = time.perf_counter()
    whole = asyncio.run(judged(words[1], payloads))
    print(json.dumps({"whole": whole, "wall_s": time.perf_counter() - started}))


if __name__ == "__main__":
    main(sys.argv[1:])
