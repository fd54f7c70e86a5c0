"""The phantom source: a listing that costs nothing, and bytes that follow from the uri alone."""

import pytest
from pydantic import ValidationError

from mht.errors import ConfigError
from mht.phantoms.caption import caption_rng, describe
from mht.phantoms.draw import encode, render
from mht.phantoms.scene import KINDS, draw_scene
from mht.records import Reason
from mht.sources.phantoms import Params, Source, parse_uri


def source(**params: object) -> Source:
    return Source(Params.model_validate(params), None)


def test_the_kinds_take_turns_and_names_are_unique() -> None:
    items = list(source(count=9).items())
    assert [item.name for item in items[:4]] == [
        f"{kind}/{number:06d}.jpg" for number, kind in enumerate(KINDS)
    ]
    assert len({item.name for item in items}) == 9
    assert all(item.caption is None and item.caption_uri == item.uri for item in items)
    assert {item.licence for item in items} == {"CC0-1.0"}
    assert all(item.group is None and item.version for item in items)


def test_a_part_of_the_listing_is_the_same_part() -> None:
    whole = list(source(count=40, seed=3).items())
    assert list(source(count=10, start=20, seed=3).items()) == whole[20:30]


def test_bytes_and_captions_follow_from_the_uri_alone() -> None:
    items = list(source(count=4, side_px=64, seed=8).items())
    fetched = source().fetch(items, 1 << 20)
    captions = source().captions(items)
    for number, (kind, one, caption) in enumerate(zip(KINDS, fetched, captions, strict=True)):
        scene = draw_scene(kind, number, 8)
        assert one.data == encode(render(scene, 64))
        assert one.refusal is None
        assert caption == describe(scene, caption_rng(scene))


def test_a_file_over_the_limit_is_refused() -> None:
    (item,) = source(count=1, side_px=64).items()
    (fetched,) = source().fetch([item], 100)
    assert fetched.data is None
    assert fetched.refusal is not None
    assert fetched.refusal.reason == Reason.TOO_MANY_BYTES


def test_the_uri_names_scene_and_side() -> None:
    scene, side_px = parse_uri("phantom:chest_xray/512/7/000123")
    assert (scene.kind, scene.seed, scene.index, side_px) == ("chest_xray", 7, 123, 512)


@pytest.mark.parametrize(
    "uri", ["file:/x.jpg", "phantom:chest_xray/512/7", "phantom:chest_xray/a/7/1", "phantom:"]
)
def test_what_is_no_phantom_is_refused_with_an_example(uri: str) -> None:
    with pytest.raises(ConfigError, match="phantom:chest_xray/512/0/000123"):
        parse_uri(uri)


def test_an_unknown_kind_is_found_before_anything_runs() -> None:
    source().check()
    with pytest.raises(ConfigError, match="knee"):
        source(kinds=("knee",)).check()


@pytest.mark.parametrize(
    "params", [{"count": 0}, {"side_px": 8}, {"kinds": ()}, {"colour": "red"}, {"seed": -1}]
)
def test_params_have_bounds(params: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        Params.model_validate(params)
