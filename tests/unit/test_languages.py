"""One tag for every way in which a language is written."""

import pytest

from campaigns.text.languages import NAMES, name, tag


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("en", "en"), ("EN", "en"), ("English", "en"), (" english ", "en"), ("en-IN", "en"), ("en_GB", "en"), ("eng", "en"),
        ("Hindi", "hi"), ("HINDI", "hi"), ("hi-IN", "hi"), ("हिंदी", "hi"), ("हिन्दी", "hi"), ("hin-in", "hi"),
        ("hi-Latn", "hi-latn"), ("hi-Latn-IN", "hi-latn"), ("Hinglish", "hi-latn"), ("Tamil", "ta"), ("Bangla", "bn"),
        ("Oriya", "or"), ("fr", "fr"), ("es-419", "es"), ("Klingon", ""), ("", ""), ("h", ""), ("hi;en", ""), ("12", ""),
        ("hi-IN-x-private", ""), ("Tamil Nadu", ""),
    ],
)  # fmt: skip
def test_names_and_codes_are_one_tag(text, expected):
    assert tag(text) == expected


def test_every_known_language_is_its_own_tag_and_no_name_stands_for_two():
    assert [tag(one) for one in NAMES] == list(NAMES)
    every = [other.casefold() for names in NAMES.values() for other in names]
    assert len(every) == len(set(every))
    assert [name("ta"), name("xx")] == ["Tamil", "xx"]
