"""Tiny models with drawn weights caption images through the build: in actors, and behind `transformers serve`."""

import json
import shutil
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from mht.config import load
from mht.dataset.asked.here import Asking
from mht.dataset.pixels import PixelStage
from mht.dataset.plan import PlanReader
from mht.dataset.shard import make_source
from mht.records import Refusal
from mht.storage import Storage
from tests.dataset.asked.test_build import some_of
from tests.dataset.oracle import build_here, quarantine_of
from tests.engines.conftest import model
from tests.engines.serving import MISSING, serving
from tests.engines.tiny import SPECIAL

__all__ = ["model"]
pytestmark = pytest.mark.usefixtures("ray_cluster")
Said = dict[str, str]


@pytest.fixture(scope="module")
def few_phantoms(phantoms: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return some_of(phantoms, tmp_path_factory.mktemp("few") / "images", 40)


def words(folder: Path, output: Path, *more: str) -> list[str]:
    return [
        *("source.kind=folder", f"source.path={folder}", f"output={output}", "build.shard_images=20"),
        *("captioner.kind=generated", "captioner.engine=eye", "captioner.max_tokens=40", *more),
    ]


def in_a_build(folder: Path, output: Path, *more: str) -> Said:
    """Image id to its text or its reason, as a build keeps them."""
    build_here(*words(folder, output, *more))
    rows = [row for file in output.glob("texts/*/*.parquet") for row in pq.read_table(file).to_pylist()]
    return {row["image_id"]: row["text"] or row["reason"] for row in rows}


def in_this_process(folder: Path, output: Path, *more: str) -> Said:
    """The same without Ray, of the images that a build planned."""
    config = load(None, words(folder, output, *more))
    storage = Storage(config.storage)
    source = make_source(config.resolved(), storage)
    with PlanReader(storage, config.output) as plan:
        rows = [row for shard in plan.shards() for row in plan.read(shard)]
    with closing(PixelStage(source, config.imaging)) as stage, Asking(config) as asking:
        images = list(next(stage.decode([rows], {})))
        said = asking.describe(rows, source.captions([row.item for row in rows]), images)
    return {
        row.image_id: text.reason.value if isinstance(text, Refusal) else text
        for row, text in zip(rows, said, strict=True)
    }


@pytest.mark.parametrize("kind", ["llava", "idefics3"])
@pytest.mark.parametrize("temperature", [0.0, 1.0])
def test_a_caption_is_the_image_s_whatever_the_batch_and_the_actors(
    kind: str, temperature: float, model: Callable[[str], Path], few_phantoms: Path, tmp_path: Path
) -> None:
    if (kind, temperature) == ("idefics3", 1.0):
        pytest.skip("one model is enough for the draws")
    engine = (
        "engines.eye.kind=transformers",
        f"engines.eye.model={model(kind)}",
        f"captioner.temperature={temperature}",
    )
    built = in_a_build(
        few_phantoms, tmp_path / "out", *engine, "engines.eye.batch_size=1", "engines.eye.replicas=2"
    )
    alone = in_this_process(few_phantoms, tmp_path / "out", *engine, "engines.eye.batch_size=16")
    assert built == alone
    assert len(built) == 40
    assert len(set(built.values())) >= 8  # they look at the image, and few fail
    # Their words are read like any caption's, though they make no sense.
    assert "no_facts" in quarantine_of(str(tmp_path / "out")).values()


@pytest.fixture(scope="module")
def served(
    model: Callable[[str], Path], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Path, str]]:
    if MISSING:
        pytest.skip(f"transformers serve needs {', '.join(MISSING)}")
    # The server shows the word that ends a reply unless it is a special token, as it is in any real model.
    folder = tmp_path_factory.mktemp("served") / "llava"
    shutil.copytree(model("llava"), folder)
    settings = json.loads((folder / "generation_config.json").read_text())
    (folder / "generation_config.json").write_text(
        json.dumps(settings | {"eos_token_id": list(range(1, len(SPECIAL)))})
    )
    with serving(folder) as url:
        yield folder, url


def test_a_served_model_says_what_it_says_in_an_actor(
    served: tuple[Path, str], few_phantoms: Path, tmp_path: Path
) -> None:
    folder, url = served
    there = in_a_build(
        few_phantoms,
        tmp_path / "out",
        *("engines.eye.kind=openai", f"engines.eye.model={folder}", f"engines.eye.base_url={url}"),
        "engines.eye.concurrency=4",
    )
    here = in_this_process(
        few_phantoms, tmp_path / "out", "engines.eye.kind=transformers", f"engines.eye.model={folder}"
    )
    assert there == here
    assert len(set(there.values())) >= 12
