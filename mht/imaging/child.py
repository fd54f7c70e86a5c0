"""The decoding child, started by `guard.DecoderGuard` as `python -m mht.imaging.child <settings>`."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable

from mht.imaging import limits, wire
from mht.imaging.params import ImagingParams
from mht.records import NormalisedImage, Reason, Refusal

Normalise = Callable[[bytes, ImagingParams], NormalisedImage | Refusal]


def serve(settings: wire.Settings, normalise: Normalise) -> None:
    """Answers the guard's lines until stdin ends; what `normalise` raises ends it too, MemoryError apart."""
    answers = sys.stdout.fileno()
    os.write(answers, wire.READY + b"\n")
    for line in sys.stdin.buffer:
        first, count = json.loads(line)
        for index in range(first, first + count):
            result = _attempt(settings, index, normalise)
            os.write(answers, wire.write_result(settings.output_fd, index, settings.slot_bytes, result))
            if isinstance(result, Refusal) and result.reason is Reason.OUT_OF_MEMORY:
                return  # a heap in pieces: the next image gets a new process


def _attempt(settings: wire.Settings, index: int, normalise: Normalise) -> NormalisedImage | Refusal:
    try:
        return normalise(wire.read_source(settings.input_fd, index), settings.params)
    except MemoryError:
        return Refusal(
            Reason.OUT_OF_MEMORY,
            f"decoding needs more than {settings.params.child_memory_mib} MiB. "
            "Raise imaging.child_memory_mib or leave the file out.",
        )


def prepare(argument: str) -> wire.Settings:
    """Reads the settings, binds this process to its parent and takes the limits upon itself."""
    settings = wire.Settings.model_validate_json(argument)
    limits.bind_to_parent(settings.lifeline_fd, settings.die_with_parent)
    _silence()
    limits.confine(settings.params.child_memory_mib)
    return settings


def _silence() -> None:
    """Nothing that a decoder prints leaves the process: libtiff, gdcm and pydicom quote what they read."""
    import logging
    import warnings

    logging.disable(logging.CRITICAL)
    warnings.simplefilter("ignore")


def _quiet_stderr() -> None:
    null = os.open(os.devnull, os.O_WRONLY)
    os.dup2(null, 2)
    os.close(null)


def main() -> None:
    """Loads what every image needs, takes the limits upon itself and serves."""
    import numpy as np  # noqa: F401  before the limits: its libraries reserve address space as they load
    from PIL import Image, JpegImagePlugin, PngImagePlugin  # noqa: F401

    from mht.imaging.decode import normalise
    from mht.imaging.resample import check, resample

    check(resample)
    settings = prepare(sys.argv[1])
    _quiet_stderr()
    serve(settings, normalise)


if __name__ == "__main__":
    main()
