"""A model is loaded and divided on one rank of a machine at a time, and is the same as loaded by itself."""

from __future__ import annotations

from pathlib import Path

from tests.engines import tiny
from tests.model.processes import in_ranks
from tests.model.test_parity import EYES, TEXT
from tests.training import ranked


def test_what_is_loaded_in_turns_is_bit_for_bit_the_model_of_every_family(tmp_path: Path) -> None:
    folders = [tmp_path / name for name in (*EYES, *TEXT)]
    for folder in folders:
        if folder.name in EYES:
            getattr(tiny, folder.name)(folder)
        else:
            tiny.text_only(folder, kind=folder.name)
    names = [str(folder) for folder in folders]
    wanted = ranked.contents(names)
    assert len({name.split()[0] for name in wanted}) == len(folders)
    assert any("inv_freq" in name for name in wanted), "buffers that no file holds are compared, too"
    assert in_ranks(2, ranked.contents, names) == [wanted, wanted]


def test_ranks_of_a_machine_take_turns(tmp_path: Path) -> None:
    assert in_ranks(3, ranked.in_turns, str(tmp_path), None) == ["0", "1", "2"]
    lines = (tmp_path / "turns").read_text().splitlines()
    assert lines == [f"{what} {rank}" for rank in range(3) for what in ("begin", "end")]


def test_an_error_in_a_turn_is_everyone_s_and_ends_the_round(tmp_path: Path) -> None:
    assert in_ranks(3, ranked.in_turns, str(tmp_path), 1) == ["rank 1 cannot"] * 3
    assert "begin 2" not in (tmp_path / "turns").read_text()
