"""What a checkpoint promises within one process (R13, R15, R16, R20)."""

from __future__ import annotations

import json
import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import torch

from mht.errors import DiskFull, IntegrityError, RunConflict, StorageDenied, StorageOutage
from mht.storage import Storage, StorageParams
from tests import disk
from tests.model.processes import in_process, staged
from tests.model.runs import Run, killed, trained
from tests.model.small import Small, optimizer_of
from tests.model.stores import Gate, Outage, Watched
from tests.s3_server import R5, Faults, S3Server, start_s3


@pytest.fixture
def run(tmp_path: Path) -> Callable[..., Run]:
    """Makes a run at one address with one staging folder; closed at the end."""
    made: list[Run] = []

    def make(storage: Storage | None = None, **settings: object) -> Run:
        made.append(Run(str(tmp_path / "run"), storage, staging=tmp_path / "staging", **settings))
        return made[-1]

    return make


def files_of(tmp_path: Path, step: int) -> list[Path]:
    """The objects of a step, as a listing has them."""
    paths = (tmp_path / f"run/checkpoints/{step:08d}").rglob("*")
    return sorted(path for path in paths if path.is_file() and path.suffix != ".mht-partial")


def test_what_was_saved_goes_on_bit_for_bit(run: Callable[..., Run]) -> None:
    first = run(keep=2)
    assert first.load() is None
    trained(first, 1, 2, 3)
    assert first.there.complete_steps() == [2, 3]
    more = list(first.train(4, 5))
    again = run(seed=9)
    assert again.load() == 3
    assert again.train(4, 5) == more
    assert first.warned == again.warned == []


def test_an_optimizer_that_has_made_steps_is_set_back(run: Callable[..., Run]) -> None:
    one = trained(run(), 1, 2)
    more = list(one.train(3, 4, 5))
    assert one.load() == 2
    assert one.train(3, 4, 5) == more


def test_frozen_weights_are_in_no_file_and_stay_as_they_are(run: Callable[..., Run], tmp_path: Path) -> None:
    one = run()
    one.module = Small(width=50_000, frozen=True)
    one.optimizer = optimizer_of(one.module)
    trained(one, 1)
    sizes = {path.name: path.stat().st_size for path in files_of(tmp_path, 1)}
    trained_bytes = sum(p.numel() * 4 for p in one.module.parameters() if p.requires_grad)
    assert sizes["__0_0.distcp.00000"] < 3.1 * trained_bytes + 20_000, sizes
    again = run()
    again.module = Small(seed=5, width=50_000, frozen=True)
    again.optimizer = optimizer_of(again.module)
    before = again.module.first.weight.clone()
    assert again.load() == 1
    assert again.module.first.weight.equal(before)
    assert again.module.second.weight.equal(one.module.second.weight)


def test_the_manifest_names_every_file_with_its_bytes(run: Callable[..., Run], tmp_path: Path) -> None:
    trained(run(), 7)
    folder = tmp_path / "run/checkpoints/00000007"
    manifest = json.loads((folder / "MANIFEST.json").read_text())
    parts = [json.loads((folder / part["path"]).read_text()) for part in manifest["parts"]]
    named = {"MANIFEST.json", manifest["trainer"]["path"], *(part["path"] for part in manifest["parts"])}
    named |= {piece["stored"]["path"] for part in parts for piece in part}
    assert {path.relative_to(folder).as_posix() for path in files_of(tmp_path, 7)} == named
    assert json.loads((folder / manifest["trainer"]["path"]).read_text())["step"] == 7


@pytest.mark.parametrize("how", ["flipped", "missing", "cut"])
@pytest.mark.parametrize(
    "which", ["MANIFEST.json", "trainer.json", "0.json", ".metadata.00000", "__0_0.distcp.00000"]
)
def test_r15_a_damaged_checkpoint_is_passed_over_by_name(
    run: Callable[..., Run], tmp_path: Path, which: str, how: str
) -> None:
    trained(run(), 1, 2)
    path = next(path for path in files_of(tmp_path, 2) if path.name == which)
    spoil(path, how)
    again = run(seed=3)
    assert again.load() == 1
    assert len(again.warned) == 1
    assert str(path) in again.warned[0]
    assert "step 2" in again.warned[0]
    # The step is made again, and is the newest then.
    trained(again, 2)
    assert run(seed=4).load() == 2


def spoil(path: Path, how: str) -> None:
    data = bytearray(path.read_bytes())
    if how == "missing":
        path.unlink()
    elif how == "cut":
        path.write_bytes(data[:-3])
    else:
        data[len(data) // 2] ^= 1
        path.write_bytes(data)


def test_r15_every_byte_of_a_manifest_counts(run: Callable[..., Run], tmp_path: Path) -> None:
    trained(run(), 1, 2)
    path = tmp_path / "run/checkpoints/00000002/MANIFEST.json"
    whole = path.read_bytes()
    again = run(seed=3)
    assert again.load() == 2
    meaning = json.loads(whole)
    for place in range(0, len(whole), 7):
        data = bytearray(whole)
        data[place] ^= 1
        path.write_bytes(data)
        try:
            same = json.loads(data) == meaning
        except ValueError:
            same = False
        assert again.load() == (2 if same else 1), data


def test_r15_none_valid_is_an_error_and_no_start_from_zero(run: Callable[..., Run], tmp_path: Path) -> None:
    trained(run(), 1, 2)
    spoil(files_of(tmp_path, 1)[0], "flipped")
    for path in files_of(tmp_path, 2):
        path.unlink()
    again = run()
    with pytest.raises(IntegrityError, match="no checkpoint there can be loaded"):
        again.load()


def test_r15_a_lost_manifest_of_the_only_checkpoint_is_an_error(
    run: Callable[..., Run], tmp_path: Path
) -> None:
    trained(run(), 1)
    (tmp_path / "run/checkpoints/00000001/MANIFEST.json").unlink()
    again = run()
    with pytest.raises(IntegrityError, match="no checkpoint there can be loaded"):
        again.load()
    assert "00000001/MANIFEST.json" in again.warned[0]


def test_damage_that_was_seen_does_not_push_out_what_is_whole(
    run: Callable[..., Run], tmp_path: Path
) -> None:
    trained(run(), 1, 2, 4)
    spoil(files_of(tmp_path, 2)[1], "flipped")
    spoil(files_of(tmp_path, 4)[1], "flipped")
    again = run(keep=2)
    assert again.load() == 1
    trained(again, 3)
    assert again.there.complete_steps() == [1, 3, 4]
    assert run().load() == 3


def test_another_model_is_refused_with_the_names(run: Callable[..., Run]) -> None:
    trained(run(), 1)
    other = run()
    other.module = Small(width=9)
    other.optimizer = optimizer_of(other.module)
    with pytest.raises(
        RunConflict, match=r"model\.first\.bias is 8, in the model 9; model\.first\.weight is 8x4"
    ):
        other.load()
    other.module = Small(frozen=True)
    other.optimizer = optimizer_of(other.module)
    with pytest.raises(RunConflict, match=r"model\.first\.bias is not in the model"):
        other.load()


def test_training_goes_on_while_an_upload_is_held_back(run: Callable[..., Run], tmp_path: Path) -> None:
    gate = Gate()
    one = run(Watched(gate), patience_s=0)
    one.train(1)
    one.save(1)
    assert gate.reached.wait(30)
    before = list(one.train(2, 3))
    one.save(3)
    assert "step 3 has no checkpoint" in one.warned[0]
    assert one.there.complete_steps() == []
    gate.opened.set()
    one.there.wait()
    assert one.there.complete_steps() == [1]
    again = run(seed=5)
    assert again.load() == 1
    assert again.train(2, 3) == before


def test_closing_gives_up_an_upload_and_cleans(run: Callable[..., Run], tmp_path: Path) -> None:
    gate = Gate()
    one = run(Watched(gate))
    one.save(1)
    assert gate.reached.wait(30)
    assert len(staged(tmp_path / "staging")) == 1
    gate.opened.set()
    one.there.close()
    assert staged(tmp_path / "staging") == []
    again = run()
    assert again.load() is None
    assert "never completed" in again.warned[0]


def test_r16_uploads_that_fail_for_a_while_do_not_end_the_training(
    run: Callable[..., Run], tmp_path: Path
) -> None:
    one = trained(run(Watched(Outage(2, 3))), 1, 2, 3, 4)
    assert [("step 2" in w, "step 3" in w) for w in one.warned] == [(True, False), (False, True)]
    assert "(2 in a row)" in one.warned[1]
    assert one.there.complete_steps() == [1, 4]
    trained(one, 5)
    assert not list((tmp_path / "staging").glob("*/save-*"))


def test_r16_three_in_a_row_end_it_with_the_reason(run: Callable[..., Run]) -> None:
    one = run(Watched(Outage(3, 4, 5)))
    trained(
        one,
        1,
        2,
        3,
        4,
    )
    one.save(5)
    with pytest.raises(
        StorageOutage, match=r"3 checkpoints in a row .*00000005.* the store failed for 600 s"
    ):
        one.save(6)
    assert one.there.complete_steps() == [1, 2]


CHANGES = 5
"""Two files, the rank's list, the trainer's state, the manifest; then as many deletions of the step before."""


@pytest.mark.parametrize("n", range(1, 2 * CHANGES + 1))
def test_r13_a_kill_before_any_change_leaves_what_can_be_resumed(
    run: Callable[..., Run], tmp_path: Path, n: int
) -> None:
    where = str(tmp_path / "run"), str(tmp_path / "staging")
    assert in_process(killed, *where, n) == -signal.SIGKILL
    assert len(staged(tmp_path / "staging")) == 1
    undisturbed = Run(str(tmp_path / "other")).train(1, 2, 3)
    again = run(seed=8, keep=1)
    assert len(staged(tmp_path / "staging")) == 1, "what the killed process left is still there"
    assert again.load() == (2 if n > CHANGES else 1)
    assert again.train(*range(len(again.losses) + 1, 4)) == undisturbed
    trained(again, 3)
    assert again.there.complete_steps() == [3]
    assert not files_of(tmp_path, 1)
    assert not files_of(tmp_path, 2)
    again.there.close()
    assert staged(tmp_path / "staging") == []


@pytest.fixture(scope="module")
def s3() -> Iterator[S3Server]:
    with start_s3("bucket") as server, pytest.MonkeyPatch.context() as patch:
        for name, value in server.env.items():
            patch.setenv(name, value)
        yield server


def test_on_s3_that_fails_now_and_then_and_says_no(s3: S3Server, tmp_path: Path) -> None:
    storage = Storage(StorageParams(endpoint_url=s3.endpoint_url), sleep=lambda _: None)
    s3.set_faults(R5)
    one = trained(Run("s3://bucket/run", storage, keep=2), 1, 2, 3)
    more = list(one.train(4))
    again = Run("s3://bucket/run", storage, seed=4)
    assert again.load() == 3
    assert again.train(4) == more
    assert again.there.complete_steps() == [2, 3]
    s3.set_faults(Faults(deny="AccessDenied", deny_methods=("PUT",)))
    trained(again, 5, 6)
    again.save(7)
    with pytest.raises(StorageDenied, match="3 checkpoints in a row"):
        again.there.wait()
    s3.set_faults(Faults())
    assert again.there.complete_steps() == [2, 3]
    for each in (one, again):
        each.there.close()


def test_r20_an_output_without_room_ends_it_at_once_and_goes_on_with_room(tmp_path: Path) -> None:
    with disk.small_disk(tmp_path / "disk", 2) as folder:
        one = trained(Run(str(folder / "run"), staging=tmp_path / "staging", keep=1), 1)
        disk.fill(folder / "ballast")
        one.train(2)
        one.save(2)
        with pytest.raises(DiskFull, match=rf"{folder}.*no room left .*[\d,]+ bytes free"):
            one.there.wait()
        assert DiskFull.exit_code == 74
        one.there.close()
        assert staged(tmp_path / "staging") == []
        (folder / "ballast").unlink()
        again = Run(str(folder / "run"), seed=3, keep=1)
        assert again.load() == 1
        trained(again, 2)
        assert again.losses == one.losses
        assert again.there.complete_steps() == [2]


def test_a_save_before_the_first_step_changes_nothing(run: Callable[..., Run]) -> None:
    one = run()
    one.save(0)
    one.there.wait()
    again = run(seed=6)
    assert again.load() == 0
    assert one.train(1, 2) == again.train(1, 2) == Run(str(one), seed=0).train(1, 2)


class Half(Small):
    """Its first layer is of use from step 3 on: until then it has no gradient, and no state in the optimizer."""

    uses_first = False

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        if self.uses_first:
            return super().forward(x)
        out: torch.Tensor = self.second(x.repeat(1, 2))
        return out


def test_what_had_no_gradient_yet_goes_on_as_if_never_stopped(run: Callable[..., Run]) -> None:
    runs = [run(), run()]
    for one in runs:
        one.module = Half(seed=len(runs))
        one.optimizer = optimizer_of(one.module)
    first, again = runs
    trained(first, 1, 2)
    assert again.load() == 2
    for one in runs:
        one.module.uses_first = True
        one.train(3, 4, 5)
    assert again.losses == first.losses
