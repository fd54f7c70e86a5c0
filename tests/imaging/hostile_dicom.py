"""The DICOM half of the hostile corpus."""

from __future__ import annotations

import io
import struct
import warnings

import numpy as np
from pydicom import dcmwrite
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.encaps import encapsulate
from pydicom.uid import (
    DeflatedExplicitVRLittleEndian,
    ExplicitVRLittleEndian,
    JPEG2000Lossless,
    MediaStorageDirectoryStorage,
    generate_uid,
)

from mht.records import NormalisedImage, Reason
from tests.imaging.hostile import OK, Check, HostileCase, pixels, zeros

_CT = "1.2.840.10008.5.1.4.1.1.2"
_LEVELS = 256


def make_dicom(values: np.ndarray, syntax: str = ExplicitVRLittleEndian, **elements: object) -> bytes:
    """A file of one grey or RGB frame; `elements` are set last, None takes one away."""
    dataset = Dataset()
    dataset.SOPClassUID = _CT
    dataset.SOPInstanceUID = generate_uid(entropy_srcs=["mht"])
    dataset.PatientName = "CANARYPATIENT^Ada"
    dataset.PatientID = "CANARYMRN"
    dataset.Modality = "CT"
    dataset.BodyPartExamined = "CHEST"
    dataset.Rows, dataset.Columns = values.shape[:2]
    dataset.SamplesPerPixel = 1 if values.ndim == 2 else 3
    dataset.PhotometricInterpretation = "MONOCHROME2" if values.ndim == 2 else "RGB"
    if values.ndim == 3:
        dataset.PlanarConfiguration = 0
    dataset.BitsAllocated = dataset.BitsStored = 8 * values.dtype.itemsize
    dataset.HighBit = dataset.BitsStored - 1
    dataset.PixelRepresentation = int(values.dtype.kind == "i")
    dataset.PixelData = values.tobytes()
    for keyword, value in elements.items():
        if value is None:
            delattr(dataset, keyword)
        else:
            setattr(dataset, keyword, value)
    dataset["PixelData"].VR = "OW" if dataset.BitsAllocated > 8 else "OB"
    return write(dataset, syntax)


def write(dataset: Dataset, syntax: str) -> bytes:
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = syntax
    dataset.file_meta.MediaStorageSOPClassUID = dataset.get("SOPClassUID", _CT)
    dataset.file_meta.MediaStorageSOPInstanceUID = dataset.get("SOPInstanceUID", "1.2.3")
    if syntax == JPEG2000Lossless:
        dataset["PixelData"].is_undefined_length = True
    buffer = io.BytesIO()
    dcmwrite(buffer, dataset, enforce_file_format=True)
    return buffer.getvalue()


def ramp(low: float, high: float, dtype: str) -> np.ndarray:
    """64 rows, 256 columns, from `low` at the left to `high` at the right."""
    return np.tile(np.linspace(low, high, _LEVELS).round(), (64, 1)).astype(dtype)


def columns(expected: np.ndarray, tolerance: float = 4.0) -> Check:
    """Holds where the grey of each column is `expected`."""

    def check(image: NormalisedImage) -> None:
        assert np.abs(pixels(image).mean(axis=0) - expected).max() < tolerance

    return check


def dicom_cases() -> list[HostileCase]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # pydicom warns of what is broken here on purpose
        return [*_sound(), *_refused(), *_encodings()]


def _sound() -> list[HostileCase]:
    rising = np.arange(_LEVELS, dtype=float)
    hounsfield = np.linspace(-1000, 1000, _LEVELS)
    windowed = ((hounsfield - 40) / 400 + 0.5).clip(0, 1) * 255
    ct = make_dicom(
        ramp(24, 2024, "uint16"), RescaleSlope=1, RescaleIntercept=-1024, WindowCenter=40, WindowWidth=400
    )
    twelve = ramp(-2048, 2047, "int16")
    padded = ramp(0, 1000, "int16")
    padded[:8] = -2000
    plain = make_dicom(ramp(0, 255, "uint8"))
    return [
        HostileCase("dicom_ct_16_bit", ct, OK, columns(windowed)),
        HostileCase("dicom_monochrome1", _photometric("MONOCHROME1"), OK, columns(rising[::-1])),
        HostileCase("dicom_no_preamble", plain[132:], OK, columns(rising)),
        HostileCase("dicom_tiff_preamble", b"II*\x00" + plain[4:], OK, columns(rising)),
        HostileCase("dicom_signed_12", make_dicom(twelve, BitsStored=12, HighBit=11), OK, columns(rising)),
        HostileCase("dicom_padding", make_dicom(padded, PixelPaddingValue=-2000), OK, _padding_is_black),
        HostileCase("dicom_private_tags", _private(), OK, _codes_only),
        HostileCase("dicom_name_as_body_part", make_dicom(ramp(0, 255, "uint8"), BodyPartExamined="CANARYPATIENT^A"),
                    OK, _no_body_part),
    ]  # fmt: skip


def _photometric(name: str) -> bytes:
    return make_dicom(ramp(0, 255, "uint8"), PhotometricInterpretation=name)


def _padding_is_black(image: NormalisedImage) -> None:
    array = pixels(image)
    assert array[:6].max() < 8
    assert abs(float(array[20:, 128].mean()) - 128) < 4  # the range is that of the values, not of the padding


def _codes_only(image: NormalisedImage) -> None:
    found = (image.modality, image.body_part, image.view, image.laterality)
    assert found == ("DX", "CHEST", "PA", "L")


def _no_body_part(image: NormalisedImage) -> None:
    assert image.body_part is None


def _private() -> bytes:
    dataset_elements = {
        "Modality": "dx",
        "ViewPosition": "PA",
        "ImageLaterality": "L",
        "PatientComments": "CANARYPATIENT",
        "InstitutionName": "CANARYPATIENT",
        "WindowCenter": "",
    }
    return make_dicom(ramp(0, 255, "uint8"), **dataset_elements)


def _refused() -> list[HostileCase]:
    small = ramp(0, 255, "uint8")
    ct = make_dicom(ramp(0, 2000, "uint16"))
    eight_kb = np.zeros((64, 128), "uint8")
    huge = make_dicom(eight_kb, Rows=65_535, Columns=65_535)
    return [
        HostileCase("dicom_half_missing", ct[: len(ct) // 2], Reason.TRUNCATED),
        HostileCase("dicom_half_short", make_dicom(small, PixelData=small.tobytes()[:8192]), Reason.TRUNCATED),
        HostileCase("dicom_65535", huge, Reason.TOO_MANY_PIXELS),
        HostileCase("dicom_million_frames", make_dicom(small, NumberOfFrames=1_000_000), Reason.MULTI_FRAME),
        HostileCase("dicom_no_pixels", _without_pixels(small), Reason.NO_PIXELS),
        HostileCase("dicom_header_only", ct[:300], Reason.NO_PIXELS),
        HostileCase("dicom_zero_rows", make_dicom(small, Rows=0), Reason.CORRUPT),
        HostileCase("dicom_deflated_bomb", _deflated_bomb(), Reason.TOO_MANY_BYTES),
        HostileCase("dicom_burned_in", make_dicom(small, BurnedInAnnotation="YES"), Reason.BURNED_IN_ANNOTATION),
        HostileCase("dicom_nested", _nested(), Reason.CORRUPT),
        HostileCase("dicom_directory", _directory(), Reason.NO_PIXELS),
        HostileCase("dicom_unknown_syntax", _relabelled("1.2.826.0.1.3680043.2.1.1"), Reason.UNSUPPORTED_ENCODING),
        HostileCase("dicom_video", _relabelled("1.2.840.10008.1.2.4.102"), Reason.UNSUPPORTED_ENCODING),
        HostileCase("dicom_jpeg2000_garbage", _jpeg2000(b"\xff\x4f\xff\x51" + b"\x07" * 500 + b"\xff\xd9"),
                    Reason.CORRUPT),
        HostileCase("dicom_jpeg2000_noise", _jpeg2000(bytes(range(200)) + b"\xff\xd9"), Reason.CORRUPT),
        HostileCase("dicom_jpeg2000_cut", _jpeg2000(_codestream()[:150]), Reason.TRUNCATED),
        HostileCase("dicom_jpeg2000_other_size", _jpeg2000(_codestream(), Rows=128), Reason.CORRUPT),
        HostileCase("dicom_infinite_slope", make_dicom(ramp(0, 2000, "uint16"), RescaleSlope="1e308"),
                    Reason.NOT_FINITE),
    ]  # fmt: skip


def _without_pixels(values: np.ndarray) -> bytes:
    """A file whose last element has another tag than that of pixel data."""
    return make_dicom(values, PixelData=b"").replace(b"\xe0\x7f\x10\x00OB", b"\xe1\x7f\x10\x00OB")


def _encodings() -> list[HostileCase]:
    rising = np.arange(_LEVELS, dtype=float)
    small = ramp(0, 255, "uint8")
    colour = np.stack([small, small[:, ::-1], np.full_like(small, 128)], axis=-1)
    planar = np.moveaxis(colour, -1, 0).tobytes()
    grey_ybr = np.stack([small, np.full_like(small, 128), np.full_like(small, 128)], axis=-1)
    deflated = make_dicom(small, DeflatedExplicitVRLittleEndian)
    return [
        HostileCase("dicom_rgb", make_dicom(colour), OK, _is_colour),
        HostileCase(
            "dicom_planar", make_dicom(colour, PixelData=planar, PlanarConfiguration=1), OK, _is_colour
        ),
        HostileCase(
            "dicom_ybr", make_dicom(grey_ybr, PhotometricInterpretation="YBR_FULL"), OK, _is_grey_ramp
        ),
        HostileCase("dicom_palette", _palette(small), OK, _is_palette),
        HostileCase("dicom_jpeg2000", _jpeg2000(_codestream()), OK, columns(rising)),
        HostileCase("dicom_deflated", deflated, OK, columns(rising)),
        HostileCase("dicom_sigmoid", _sigmoid(), OK, columns(255 / (1 + np.exp(-4 * (rising - 128) / 64)))),
    ]


def _is_colour(image: NormalisedImage) -> None:
    row = pixels(image).astype(float).mean(axis=0)
    assert np.abs(row[4:-4, 0] - np.arange(4, 252)).max() < 10
    assert np.abs(row[4:-4, 1] - np.arange(251, 3, -1)).max() < 10
    assert np.abs(row[4:-4, 2] - 128).max() < 10


def _is_grey_ramp(image: NormalisedImage) -> None:
    row = pixels(image).astype(float).mean(axis=0)
    assert np.abs(row - np.arange(_LEVELS)[:, None]).max() < 6


def _is_palette(image: NormalisedImage) -> None:
    row = pixels(image).astype(float).mean(axis=0)
    assert np.abs(row[4:-4, 0] - np.arange(251, 3, -1)).max() < 10
    assert row[:, 1].max() < 10


def _palette(indices: np.ndarray) -> bytes:
    """Red falls as the index rises, green is none, blue a half; entries of 16 bits."""
    red = (np.arange(255, -1, -1, dtype="<u2") * 257).tobytes()
    return make_dicom(
        indices,
        PhotometricInterpretation="PALETTE COLOR",
        RedPaletteColorLookupTableDescriptor=[256, 0, 16],
        GreenPaletteColorLookupTableDescriptor=[256, 0, 16],
        BluePaletteColorLookupTableDescriptor=[256, 0, 16],
        RedPaletteColorLookupTableData=red,
        GreenPaletteColorLookupTableData=bytes(512),
        BluePaletteColorLookupTableData=b"\x00\x80" * 256,
    )


def _sigmoid() -> bytes:
    return make_dicom(ramp(0, 255, "uint8"), WindowCenter=128, WindowWidth=64, VOILUTFunction="SIGMOID")


def _codestream() -> bytes:
    from PIL import Image

    buffer = io.BytesIO()
    Image.fromarray(ramp(0, 255, "uint8")).save(buffer, "JPEG2000", no_jp2=True)
    return buffer.getvalue()


def _jpeg2000(codestream: bytes, **elements: object) -> bytes:
    return make_dicom(
        ramp(0, 255, "uint8"), JPEG2000Lossless, PixelData=encapsulate([codestream]), **elements
    )


def _relabelled(syntax: str) -> bytes:
    """A sound file that claims another transfer syntax (UIDs are padded with NUL to an even length)."""
    data = make_dicom(ramp(0, 255, "uint8"))
    old = b"\x02\x00\x10\x00UI" + struct.pack("<H", 20) + b"1.2.840.10008.1.2.1\x00"
    uid = syntax.encode() + b"\x00" * (len(syntax) % 2)
    return data.replace(old, b"\x02\x00\x10\x00UI" + struct.pack("<H", len(uid)) + uid)


def _element(group: int, element: int, vr: bytes, value: bytes) -> bytes:
    """An explicit little endian element of a value representation with a long length."""
    return struct.pack("<HH2sHI", group, element, vr, 0, len(value)) + value


def _deflated_bomb() -> bytes:
    """300 MB of zeros as the value of one element, in about 290 KB."""
    sound = make_dicom(ramp(0, 255, "uint8"), DeflatedExplicitVRLittleEndian)
    meta = sound[: sound.index(DeflatedExplicitVRLittleEndian.encode())]
    head = sound[: _end_of_meta(sound)]
    assert head.startswith(meta)
    return head + zeros(300 << 20, wbits=-15)


def _end_of_meta(data: bytes) -> int:
    (length,) = struct.unpack_from("<I", data, 140)
    return 144 + int(length)


def _nested() -> bytes:
    """10,000 sequences, each in an item of the one before."""
    depth = 10_000
    opening = b"\x08\x00\x40\x11SQ\x00\x00\xff\xff\xff\xff" + b"\xfe\xff\x00\xe0\xff\xff\xff\xff"
    closing = b"\xfe\xff\x0d\xe0\x00\x00\x00\x00" + b"\xfe\xff\xdd\xe0\x00\x00\x00\x00"
    sound = make_dicom(ramp(0, 255, "uint8"))
    at = _end_of_meta(sound)
    return sound[:at] + opening * depth + closing * depth + sound[at:]


def _directory() -> bytes:
    """A DICOMDIR whose one record points out of its folder."""
    record = Dataset()
    record.DirectoryRecordType = "IMAGE"
    record.ReferencedFileID = ["..", "..", "CANARYMRN"]
    directory = Dataset()
    directory.SOPClassUID = MediaStorageDirectoryStorage
    directory.SOPInstanceUID = "1.2.3.4"
    directory.DirectoryRecordSequence = [record]
    return write(directory, ExplicitVRLittleEndian)
