"""Where and when a figure was measured: processor, memory, versions, date, commit."""

from __future__ import annotations

import hashlib
import os
import platform
import subprocess
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PACKAGES = ("ray", "pyarrow", "pillow", "numpy")


def describe(more: dict[str, str] | None = None) -> dict[str, str]:
    """Name to value, in the order to print; `more` versions stand behind ours."""
    facts = {"date": datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"), "commit": commit()}
    facts["machine"] = (
        f"{os.cpu_count()} cores, {_memory_gib():.0f} GiB, {_processor()}, {platform.platform()}"
    )
    versions = {"python": platform.python_version(), **{name: metadata.version(name) for name in PACKAGES}}
    facts["versions"] = ", ".join(f"{name} {version}" for name, version in (versions | (more or {})).items())
    facts["load"] = " ".join(f"{value:.2f}" for value in os.getloadavg())
    return facts


def busy() -> list[str]:
    """A warning where other programs want the cores, too."""
    load = os.getloadavg()[0]
    if load < (os.cpu_count() or 1):
        return []
    return [
        f"others wanted the cores, too (load {load:.0f} at the beginning): the CPU columns tell, the clock does not"
    ]


def commit() -> str:
    """The git commit, `+` behind it where a tracked or new file differs; the code's digest outside of git."""
    head = _git("rev-parse", "--short=12", "HEAD")
    if head is None:
        return f"no git, code {code_digest()}"
    return head + ("+" if _git("status", "--porcelain", "--", "mht", "benchmarks") else "")


def code_digest() -> str:
    """12 hex digits over the code of mht and of the contestants: what a measurement is valid for."""
    digest = hashlib.sha256()
    folders = (ROOT / "mht", ROOT / "benchmarks" / "contestants")
    for path in sorted(
        path for folder in folders for path in folder.rglob("*") if path.suffix in (".py", ".tsv")
    ):
        digest.update(str(path.relative_to(ROOT)).encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()[:12]


def _git(*words: str) -> str | None:
    try:
        done = subprocess.run(["git", *words], cwd=ROOT, capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return None
    return done.stdout.strip()


def _memory_gib() -> float:
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / (1 << 30)


def _processor() -> str:
    info = Path("/proc/cpuinfo")
    if info.exists():
        for line in info.read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()
