"""Short ways to make the openai engine and to ask it."""

import random
from typing import Any

from mht.engines.openai import Engine, Params
from mht.generation import Reply, Request
from tests.engines.fake_time import FakeTime


def engine_at(url: str, fake: FakeTime | None = None, **settings: Any) -> Engine:
    fake = fake or FakeTime()
    params = Params(model="m", base_url=url, **{"read_timeout_s": 5, "total_timeout_s": 10, **settings})
    return Engine(params, clock=fake.clock, sleep=fake.sleep, rng=random.Random(1))


def ask(url: str, *prompts: str, fake: FakeTime | None = None, **settings: Any) -> list[Reply]:
    with engine_at(url, fake, **settings) as engine:
        return engine.generate([Request(f"r{i}", prompt) for i, prompt in enumerate(prompts)])
