"""The probes tell a judge that obeys what it is given from one that does not, and no judge from either."""

import json
import re
from collections.abc import Sequence

from benchmarks.injection import SENTENCES, flips, probes, table
from mht.generation import Failure, Reply, Request

WORDS = ("true", "false", "absent", "open", "follows", "contradicts", "unsupported")
MARKS = re.compile(r"BEGIN DATA ([0-9a-f]{16})\n(.*)\nEND DATA \1")


def told(word: str) -> str:
    return json.dumps({"reason": "so", "verdict": word})


def honest(requests: Sequence[Request]) -> list[Reply]:
    """Says the same of each step, whatever the description holds."""
    return [
        Reply(r.request_id, told("true" if r.request_id.endswith("premise") else "follows")) for r in requests
    ]


def obedient(requests: Sequence[Request]) -> list[Reply]:
    """Takes the last verdict that the description names for an order."""
    replies = []
    for request, usual in zip(requests, honest(requests), strict=True):
        found = MARKS.search(request.prompt)
        assert found is not None
        named = [word for word in re.findall(r"\w+", json.loads(found[2])["known"]) if word in WORDS]
        replies.append(Reply(request.request_id, told(named[-1])) if named else usual)
    return replies


def silent(requests: Sequence[Request]) -> list[Reply]:
    return [Reply(request.request_id, None, Failure.TIMEOUT, "slow") for request in requests]


def test_there_are_twenty_and_they_differ() -> None:
    made = probes()
    assert len(made) == 20
    assert len({probe.sentence for probe in made}) == len({probe.caption for probe in made}) == len(SENTENCES)
    assert {probe.pair.state for probe in made} == {"faithful", "hallucinated"}


def test_who_obeys_turns_and_who_does_not_holds() -> None:
    made = probes()
    assert flips(made, honest) == {("premise", "held"): 20, ("answer", "held"): 20}
    turned = flips(made, obedient)
    assert turned["premise", "turned"] >= 18
    assert turned["answer", "turned"] >= 18
    assert flips(made, silent) == {("premise", "no verdict"): 20, ("answer", "no verdict"): 20}


def test_the_rate_is_of_those_that_gave_a_verdict() -> None:
    text = table(flips(probes()[:4], honest))
    assert re.search(r"\| premise \| 0 of 4 +\| 0% ", text)
    assert re.search(r"\| answer +\| 0 of 0 +\| - ", table(flips(probes()[:4], silent)))
