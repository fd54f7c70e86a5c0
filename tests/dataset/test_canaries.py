"""R23: what names an account or a patient leaves no trace: not in the dataset, not on screen, not in Ray's logs."""

import io
import json
import shutil
import tempfile
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from PIL import Image

from tests.dataset.oracle import common, run_mht
from tests.imaging.hostile import corpus, save, scene
from tests.imaging.hostile_dicom import make_dicom, ramp
from tests.s3_server import Faults, start_s3

ENVIRONMENT = {
    "AWS_ACCESS_KEY_ID": "AKIACANARYACCESSKEYX",
    "AWS_SECRET_ACCESS_KEY": "CANARYSECRET/abcdefghijklmnopqrstuvwxyz+",
    "AWS_SESSION_TOKEN": "CANARYSESSIONTOKEN",
    "GOOGLE_API_KEY": "CANARYGOOGLE",
    "HF_TOKEN": "hf_CANARYHUB",
    "MHT_PROJECT_KEY": "CANARYPROJECTKEY",
}
PATIENT = (
    "CANARYPATIENT",
    "CANARYMRN",
    "CANARYGPS",
    "CANARYARTIST",
    "CANARYBIRTH",
    "CANARYPRIVATE",
    "CANARYGROUP",
)
CANARIES = (*(value[:16] for value in ENVIRONMENT.values()), *PATIENT)


@dataclass(frozen=True)
class Trace:
    """Everything that a build left: the text it wrote, and the folders it wrote to."""

    said: bytes
    output: Path
    session: Path
    returncode: int


def dicom(seed: int, **elements: object) -> bytes:
    """A DICOM file with a patient in its standard tags, two of them such as may leave when they hold a code."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # pydicom says that these are no codes
        return make_dicom(
            (ramp(0, 255, "uint8") + seed).astype("uint8"),
            PatientName="CANARYPATIENT^Ada",
            PatientID="CANARYMRN-1",
            OtherPatientIDs="CANARYMRN-2",
            PatientComments="born CANARYBIRTH",
            AccessionNumber="CANARYMRN-3",
            StudyDescription="CHEST CANARYPATIENT",
            BodyPartExamined="CANARYPATIENT^A",
            ViewPosition="CANARYMRN.1",
            **elements,
        )


def private_dicom() -> bytes:
    """The same in private tags, one of them of a length that runs past the end of the file."""
    from pydicom import dcmread, dcmwrite

    dataset = dcmread(io.BytesIO(dicom(3)))
    block = dataset.private_block(0x0011, "CANARYPRIVATE MAKER", create=True)
    block.add_new(0x01, "LO", "CANARYPRIVATE")
    block.add_new(0x02, "PN", "CANARYPATIENT^Private")
    buffer = io.BytesIO()
    dcmwrite(buffer, dataset)
    return buffer.getvalue()


def photograph() -> bytes:
    """A JPEG with a place, an artist and a comment in its metadata."""
    exif = Image.Exif()
    exif[0x013B], exif[0x010E] = "CANARYARTIST", "CANARYPATIENT at the beach"
    exif.get_ifd(0x8825).update({1: "N", 29: "CANARYGPS", 27: b"CANARYGPS"})
    return save(scene(), "JPEG", exif=exif, comment=b"CANARYARTIST")


def files() -> dict[str, bytes]:
    """Sound files and broken ones, each with a canary inside."""
    whole = dicom(0)
    found = {f"dicom/{seed}.dcm": dicom(seed) for seed in range(8)}
    found |= {"dicom/private.dcm": private_dicom(), "photo.jpg": photograph()}
    found |= {
        "broken/cut.dcm": whole[: len(whole) // 2],
        "broken/header.dcm": whole[:600],
        "broken/number.dcm": whole.replace(b"CANARYMRN-3", b"CANARYMRN-\xff"),
        "broken/rows.dcm": dicom(1, Rows=0),
        "broken/slope.dcm": dicom(1, RescaleSlope="1e308", RescaleIntercept="1e308"),
        "broken/window.dcm": dicom(1, WindowCenter="1", WindowWidth="0"),
        "broken/burned.dcm": dicom(1, BurnedInAnnotation="YES"),
        "broken/cut.jpg": photograph()[:-700],
        "broken/name.txt.jpg": b"CANARYPATIENT is no image",
    }
    marked = [case for case in corpus() if any(word.encode() in case.data for word in PATIENT)]
    return found | {f"corpus/{case.name}": case.data for case in marked}


@pytest.fixture(scope="module")
def trace(phantoms: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Trace]:
    """A build of them all, with the record number as the group and keys in the environment."""
    root = tmp_path_factory.mktemp("canaries")
    folder, output = root / "in", root / "out"
    captions = [json.loads(line) for line in (phantoms / "metadata.jsonl").read_text().splitlines()]
    planted = {
        **{line["file_name"]: (phantoms / line["file_name"]).read_bytes() for line in captions[:60]},
        **files(),
    }
    rows = []
    for number, ((name, data), line) in enumerate(zip(planted.items(), captions, strict=False)):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(data)
        rows.append({"image": name, "caption": line["caption"], "mrn": f"CANARYGROUP-{number // 2}"})
    (folder / "table.jsonl").write_text("\n".join(map(json.dumps, rows)))
    # A short path: Ray puts sockets below it.
    session = Path(tempfile.mkdtemp(prefix="mht-c-", dir="/tmp"))
    words = common(folder, output, f"ray.temp_dir={session}", "source.kind=table", "source.group=mrn")
    words = [word for word in words if word not in (f"source.path={folder}", "source.kind=folder")]
    done = run_mht("build", f"source.path={folder}/table.jsonl", *words, env=ENVIRONMENT)
    yield Trace((done.stdout + done.stderr).encode(), output, session, done.returncode)
    shutil.rmtree(session, ignore_errors=True)


def canaries_in(data: bytes) -> list[str]:
    """Those that stand in the bytes, also as UTF-16 or with the other case."""
    lower = data.lower()
    return [c for c in CANARIES if c.lower().encode() in lower or c.lower().encode("utf-16-le") in lower]


def test_the_build_refused_some_and_kept_some(trace: Trace) -> None:
    assert trace.returncode == 3, trace.said.decode()
    reasons = {row["reason"] for row in _rows(trace.output, "quarantine")}
    assert {
        "truncated",
        "corrupt",
        "burned_in_annotation",
        "not_finite",
        "not_an_image",
        "no_pixels",
    } <= reasons
    formats = {row["source_format"] for row in _rows(trace.output, "images")}
    assert {"jpeg", "dicom"} <= {name.lower() for name in formats}


def test_r23_none_on_screen(trace: Trace) -> None:
    assert canaries_in(trace.said) == []


def test_r23_none_in_any_file_of_the_dataset(trace: Trace) -> None:
    found = {path.name: canaries_in(path.read_bytes()) for path in trace.output.rglob("*") if path.is_file()}
    assert {name: words for name, words in found.items() if words} == {}
    assert len(found) > 10


def test_r23_none_in_any_table_once_it_is_decompressed(trace: Trace) -> None:
    tables = list(trace.output.rglob("*.parquet"))
    for path in tables:
        for batch in pq.ParquetFile(path).iter_batches():
            for row in batch.to_pylist():
                assert canaries_in(repr(row).encode()) == [], path
    assert {"plan.parquet"} < {path.name for path in tables}
    for row in _rows(trace.output, "images"):
        assert canaries_in(row["image"]["bytes"]) == []


def test_r23_none_in_rays_logs(trace: Trace) -> None:
    files = [path for path in trace.session.rglob("*") if path.is_file()]
    found = {path.name: canaries_in(path.read_bytes()) for path in files}
    assert {name: words for name, words in found.items() if words} == {}
    assert any(path.suffix in (".log", ".out", ".err") for path in files), "Ray kept no logs here"


def test_r23_none_when_the_store_says_no(tmp_path: Path) -> None:
    with start_s3() as s3:
        s3.set_faults(Faults(deny="InvalidAccessKeyId"))
        where = f"storage.endpoint_url={s3.endpoint_url}"
        done = run_mht("build", "source.kind=folder", "source.path=s3://bucket/in", f"output={tmp_path}/out", where,
                       env={**s3.env, **ENVIRONMENT})  # fmt: skip
    assert done.returncode == 77, done.stderr
    assert canaries_in((done.stdout + done.stderr).encode()) == []


@pytest.mark.parametrize(
    "word",
    [
        "source.path=s3://AKIACANARYACCESSKEYX:CANARYSECRET@bucket/in",
        "storage.endpoint_url=http://CANARYSECRET:x@host",
        "output=https://host/x?X-Amz-Credential=AKIACANARYACCESSKEYX&X-Amz-Signature=CANARYSECRET",
    ],
)
def test_r23_a_secret_in_an_address_is_refused_unread(word: str) -> None:
    done = run_mht("build", "source.kind=folder", "source.path=in", word)
    assert done.returncode in (2, 66), done.stderr
    assert canaries_in((done.stdout + done.stderr).encode()) == []


def _rows(output: Path, kind: str) -> list[dict[str, object]]:
    return [row for path in output.glob(f"{kind}/*.parquet") for row in pq.read_table(path).to_pylist()]
