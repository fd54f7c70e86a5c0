"""`mht compare`: finished runs read, compared, told on the terminal and, where asked, written to a folder."""

from __future__ import annotations

from collections.abc import Sequence

from mht.config_file import read_overrides
from mht.config_reading import validated
from mht.errors import ConfigError
from mht.evaluation.compare import CompareConfig, compare
from mht.evaluation.report.versus import comparison_json, comparison_page, comparison_text
from mht.evaluation.run import load
from mht.storage import Storage, join
from mht.storage.uris import refuse_unusable

HTML, JSON = "compare.html", "compare.json"


def compare_runs(words: Sequence[str]) -> str:
    """Folders of runs, then `key=value` settings; says what was found, and where the page is.

    Raises ConfigError for settings that cannot be used, IntegrityError for a folder without a finished run, InputError
    for runs that were not asked the same.
    """
    roots, config = read_words(words)
    for address in (*roots, *([config.output] if config.output else [])):
        refuse_unusable(address)
    storage = Storage(config.storage)
    found = compare([load(storage, root) for root in roots], config)
    told = comparison_text(found, config.intervals)
    if config.output is None:
        return told
    storage.write(join(config.output, JSON), comparison_json(found, config.intervals))
    storage.write(join(config.output, HTML), comparison_page(found, config.intervals))
    return f"{told}\n{join(config.output, HTML)}"


def read_words(words: Sequence[str]) -> tuple[list[str], CompareConfig]:
    """(the runs' folders, the settings). Raises ConfigError as above."""
    roots = [word for word in words if not _is_setting(word)]
    placed = read_overrides([word for word in words if _is_setting(word)])
    config = validated(CompareConfig, placed.values, placed.lines)
    if len(roots) < 2:
        raise ConfigError(f"compare: {len(roots)} run was named. Name two or more: mht compare RUN RUN …")
    return roots, config


def _is_setting(word: str) -> bool:
    """Whether it is `key=value`: no address has a `=` before its first `/` or `:`."""
    key, equals, _ = word.partition("=")
    return bool(equals) and not {"/", ":"} & set(key)
