"""Licences in their many wordings."""

import pytest

from mht.dataset.licences import address, licence_id, of_all


@pytest.mark.parametrize(
    ("text", "licence"),
    [
        ("CC BY 4.0", "cc-by-4.0"),
        ("cc-by-nc-sa-4.0", "cc-by-nc-sa-4.0"),
        ("https://creativecommons.org/licenses/by-nc-nd/3.0/", "cc-by-nc-nd-3.0"),
        ("http://www.creativecommons.org/licenses/by-sa/2.5", "cc-by-sa-2.5"),
        ("CC0-1.0", "cc0-1.0"),
        ("https://creativecommons.org/publicdomain/zero/1.0/", "cc0-1.0"),
        ("MIT License", "mit"),
        ("Apache-2.0", "apache-2.0"),
        ("CC BY", "other"),
        ("CC BY 4.0 except where noted", "other"),
        ("all rights reserved", "other"),
        ("", "unsaid"),
        (" - ", "unsaid"),
        (None, "unsaid"),
    ],
)
def test_words_to_identifier(text: str | None, licence: str) -> None:
    assert licence_id(text) == licence


def test_one_licence_for_all_or_other() -> None:
    assert of_all({"cc-by-4.0": 3}) == "cc-by-4.0"
    assert of_all({"cc-by-4.0": 3, "mit": 1}) == "other"
    assert of_all({"cc-by-4.0": 3, "unsaid": 1}) == "other"
    assert of_all({"unsaid": 3}) == of_all({}) == "other"


def test_addresses() -> None:
    assert address("cc-by-nc-4.0") == "https://creativecommons.org/licenses/by-nc/4.0/"
    assert address("mit") == "https://spdx.org/licenses/MIT"
    assert address("other") is None
