"""The openai engine against a real server with a real, tiny model: `transformers serve` on the loopback."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from mht.engines.openai import Engine, Params
from mht.generation import Failure, Request
from tests.engines.serving import MISSING, serving

pytestmark = pytest.mark.skipif(bool(MISSING), reason=f"transformers serve needs {', '.join(MISSING)}")


@pytest.fixture(scope="module")
def served(llava: Path) -> Iterator[Params]:
    with serving(llava) as url:
        yield Params(model=str(llava), base_url=url, concurrency=3, max_tries=2)


def test_a_served_model_answers_about_the_picture_that_it_is_shown(served: Params) -> None:
    from tests.engines.tiny import png

    question = "is there a nodule in the left lung ?"
    requests = [Request(f"r{i}", question, "you are careful", png(i % 4), max_tokens=64) for i in range(8)]
    with Engine(served) as engine:
        replies = engine.generate(requests)
        ledger = engine.ledger
    assert [reply.request_id for reply in replies] == [request.request_id for request in requests]
    assert [reply.failure for reply in replies] == [None] * 8
    assert [reply.text for reply in replies[:4]] == [reply.text for reply in replies[4:]]
    assert len({reply.text for reply in replies}) > 1
    assert all(reply.prompt_tokens > 16 for reply in replies)  # 16 of them are the picture's
    assert (ledger.calls, ledger.failed) == (8, 0)
    assert ledger.tokens == sum(reply.tokens for reply in replies) > 0


def test_a_served_model_ends_at_the_bound_and_refuses_another_name(served: Params) -> None:
    with Engine(served) as engine:
        [cut] = engine.generate([Request("a", "describe the image", max_tokens=1)])
    assert (cut.failure, cut.tokens) == (Failure.CUT_SHORT, 1)
    with Engine(served.model_copy(update={"model": "another"})) as engine:
        [refused] = engine.generate([Request("a", "describe the image")])
    assert (refused.failure, refused.detail) == (Failure.NOT_ACCEPTED, "status 400")
