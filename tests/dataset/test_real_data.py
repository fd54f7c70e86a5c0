"""Real images and captions: the same pairs from a folder and from a bucket, every input accounted for.

The first set is made here; the others are read where the reference data is, and are skipped elsewhere.
"""

import json
import shutil
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from xml.etree import ElementTree

import pytest

from mht.config import load
from mht.dataset.build import BuildReport
from mht.dataset.plan import image_id
from mht.dataset.verify import verify
from mht.records import Reason
from mht.storage import Storage
from tests.dataset.loopback import open_to_all
from tests.dataset.oracle import build_here, quarantine_of, rows_of
from tests.imaging.hostile_dicom import make_dicom, ramp
from tests.s3_server import S3Server, start_s3

KNOWN = {str(reason) for reason in Reason}
# Neutral and made up, one a modality; what the pixels show plays no part here.
CAPTIONS = {
    "CT": "Axial CT image. There is a small left pleural effusion. No pneumothorax.",
    "MR": "Axial MR image of the brain. No midline shift. There is a small right subdural hematoma.",
    "US": "Ultrasound image. There is a simple cyst in the left kidney. No hydronephrosis.",
    "NM": "Bone scan. There is a fracture of the left rib.",
    "OT": "Frontal chest radiograph. Moderate cardiomegaly. No pleural effusion.",
}
CELLS = {"RBC": "red blood cells", "WBC": "white blood cells", "Platelets": "platelets"}
NUMBERS = (
    "no",
    "one",
    "two",
    "three",
    "four",
    "five",
    "six",
    "seven",
    "eight",
    "nine",
    "ten",
    "eleven",
    "twelve",
)


@pytest.fixture(scope="module")
def s3() -> Iterator[S3Server]:
    with start_s3() as server:
        open_to_all(server, "bucket")
        yield server


def build_twice(folder: Path, words: list[str], work: Path, s3: S3Server) -> tuple[str, BuildReport]:
    """The dataset of a local folder, once it is the same as that of the same files in a bucket."""
    where = [f"storage.endpoint_url={s3.endpoint_url}", "storage.anonymous=true"]
    storage = Storage(load(None, where).storage)
    prefix = f"s3://bucket/{work.name}"
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            storage.write(f"{prefix}/{path.relative_to(folder).as_posix()}", path.read_bytes())
    common = ["build.shard_images=50", "build.workers=2", *words]
    local, remote = str(work / "local"), str(work / "remote")
    _, report = build_here(*[word.replace("ROOT", str(folder)) for word in common], f"output={local}")
    build_here(*[word.replace("ROOT", prefix) for word in common], f"output={remote}", *where)
    assert rows_of(local) == rows_of(remote)
    for output in (local, remote):
        assert "books balanced" in verify(load(None, [f"output={output}"]))
    counts = Counter(quarantine_of(local).values())
    assert set(counts) <= KNOWN
    total = report.books.total("in")
    print(f"SHOW {folder.name}: {total} in, {report.books.total('pairs')} pairs, quarantined:",
          {reason: f"{n} ({n / total:.0%})" for reason, n in counts.most_common()})  # fmt: skip
    return local, report


def with_captions(folder: Path, captions: dict[str, str]) -> None:
    lines = [json.dumps({"file_name": name, "caption": text}) for name, text in captions.items()]
    (folder / "metadata.jsonl").write_text("\n".join(lines))


def test_a_set_made_here(ray_cluster: None, phantoms: Path, s3: S3Server, tmp_path: Path) -> None:
    """Phantoms with DICOM files between them, sound, cut and without pixels."""
    folder = tmp_path / "made"
    folder.mkdir()
    lines = [json.loads(line) for line in (phantoms / "metadata.jsonl").read_text().splitlines()][:80]
    for line in lines:
        (folder / line["file_name"]).parent.mkdir(exist_ok=True)
        shutil.copy(phantoms / line["file_name"], folder / line["file_name"])
    captions = {line["file_name"]: line["caption"] for line in lines}
    for number, line in enumerate(lines[:12]):
        modality = ("CT", "MR", "US")[number % 3]
        data = make_dicom(ramp(0, 1000 + number, "uint16"), Modality=modality)
        (folder / f"{modality}-{number}.dcm").write_bytes(data if number < 9 else data[: len(data) // 2])
        captions[f"{modality}-{number}.dcm"] = line["caption"]
    (folder / "directory.dcm").write_bytes(data[:600])
    captions["directory.dcm"] = CAPTIONS["CT"]
    with_captions(folder, captions)
    output, report = build_twice(folder, ["source.kind=folder", "source.path=ROOT"], tmp_path, s3)
    found = Counter(quarantine_of(output).values())
    assert (report.books.total("in"), found[Reason.TRUNCATED] + found[Reason.NO_PIXELS]) == (93, 4)
    assert set(found) <= {Reason.TRUNCATED, Reason.NO_PIXELS, Reason.NO_PAIRS, Reason.NO_FACTS}
    assert report.books.total("pairs") > 150


def test_medpix(ray_cluster: None, reference_data: Path, s3: S3Server, tmp_path: Path) -> None:
    folder = reference_data / "medpix"
    rows = [json.loads(line) for line in (folder / "captions.jsonl").read_text().splitlines()]
    words = ["source.kind=table", "source.path=ROOT/captions.jsonl", "source.group=case", "source.id=id"]
    output, report = build_twice(folder, words, tmp_path, s3)
    assert report.books.total("in") == len(rows)
    assert report.run.plan.groups == len({row["case"] for row in rows})
    assert set(quarantine_of(output).values()) <= {Reason.NO_FACTS, Reason.NO_PAIRS, Reason.CAPTION_MISSING}
    assert report.books.total("out") > len(rows) * 0.2


@pytest.mark.filterwarnings("ignore::UserWarning:pydicom")
def test_dicom(ray_cluster: None, reference_data: Path, s3: S3Server, tmp_path: Path) -> None:
    from pydicom import dcmread

    folder = tmp_path / "dicom"
    captions = {}
    for path in sorted((reference_data / "dicom").rglob("*.dcm")):
        name = f"{path.parent.name}/{path.name}"
        (folder / path.parent.name).mkdir(parents=True, exist_ok=True)
        shutil.copy(path, folder / name)
        header = dcmread(path, force=True, stop_before_pixels=True, specific_tags=["Modality"])
        modality = str(header.get("Modality", "OT"))
        captions[name] = CAPTIONS.get(modality, CAPTIONS["OT"])
    with_captions(folder, captions)
    output, report = build_twice(folder, ["source.kind=folder", "source.path=ROOT"], tmp_path, s3)
    assert report.books.total("in") == len(captions)
    found = Counter(quarantine_of(output).values())
    assert found[Reason.NO_PIXELS] >= 3  # plan, report and waveform
    assert found[Reason.MULTI_FRAME] >= 5
    assert not {Reason.DECODER_CRASHED, Reason.DECODER_TIMEOUT, Reason.OUT_OF_MEMORY} & set(found)


def test_blood_smears(
    ray_cluster: None, phantoms: Path, reference_data: Path, s3: S3Server, tmp_path: Path
) -> None:
    """Real smears among drawn ones: by themselves they hold the same cells all over, and nothing could be false."""
    folder = tmp_path / "smears"
    lines = [json.loads(line) for line in (phantoms / "metadata.jsonl").read_text().splitlines()]
    captions = {row["file_name"]: row["caption"] for row in lines if "blood_smear" in row["file_name"]}
    (folder / "blood_smear").mkdir(parents=True)
    for name in captions:
        shutil.copy(phantoms / name, folder / name)
    for path in sorted((reference_data / "blood_smears" / "annotations").glob("*.xml")):
        image = next((reference_data / "blood_smears" / "images").glob(path.stem + ".*"))
        shutil.copy(image, folder / image.name)
        captions[image.name] = _cell_count(path)
    with_captions(folder, captions)
    output, report = build_twice(folder, ["source.kind=folder", "source.path=ROOT"], tmp_path, s3)
    assert report.books.total("in") == len(captions)
    refused = quarantine_of(output)
    assert set(refused.values()) <= {Reason.NO_FACTS, Reason.NO_PAIRS}
    real = [image_id(name) for name in captions if "/" not in name]
    print(f"SHOW {sum(i not in refused for i in real)} of {len(real)} real smears gave pairs")


def _cell_count(path: Path) -> str:
    """What the boxes of one smear hold, in words."""
    cells = Counter(found.findtext("name") for found in ElementTree.parse(path).iter("object"))
    said = []
    for name, words in CELLS.items():
        number = NUMBERS[cells[name]] if cells[name] < len(NUMBERS) else "many"
        said.append(f"{number.capitalize()} {words if cells[name] != 1 else words[:-1]}.")
    return " ".join(["Peripheral blood smear.", *said])
