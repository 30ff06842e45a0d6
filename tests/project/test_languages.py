"""Every dictionary says the same things in English, Russian and Greek."""

import json
import re
from pathlib import Path

import pytest

from tests.project.tree import REPOSITORY, files

LANGUAGES = ("en", "ru", "el")
FOLDERS = sorted({p.parent for p in files(".json") if p.parent.name == "languages"})
CATEGORIES = {"en": {"one", "other"}, "ru": {"one", "few", "many"}, "el": {"one", "other"}}
"""The plural forms that a whole number can take, by CLDR."""


def dictionary(folder: Path, language: str) -> dict[str, str]:
    text = (REPOSITORY / folder / f"{language}.json").read_text(encoding="utf-8")
    pairs = json.loads(text, object_pairs_hook=lambda pairs: pairs)
    keys = [key for key, _ in pairs]
    assert len(keys) == len(set(keys)), f"{folder}/{language}.json says something twice"
    return dict(pairs)


def values(text: str) -> set[str]:
    """The names of the values that are filled in."""
    return set(re.findall(r"\{(\w+)(?:\}|, plural)", text))


def test_there_are_dictionaries() -> None:
    assert {str(folder) for folder in FOLDERS} >= {
        "agent_client/browser/languages",
        "customer_client/browser/languages",
        "server/languages",
    }


@pytest.mark.parametrize("folder", FOLDERS, ids=str)
@pytest.mark.parametrize("language", LANGUAGES[1:])
def test_a_dictionary_has_the_keys_of_the_english_one(folder: Path, language: str) -> None:
    assert dictionary(folder, language).keys() ^ dictionary(folder, "en").keys() == set()


@pytest.mark.parametrize("folder", FOLDERS, ids=str)
@pytest.mark.parametrize("language", LANGUAGES)
def test_a_text_is_there_and_fills_in_the_same_values(folder: Path, language: str) -> None:
    english, texts = dictionary(folder, "en"), dictionary(folder, language)
    assert not [key for key, text in texts.items() if not text.strip()]
    assert not [key for key, text in texts.items() if values(text) != values(english[key])]


@pytest.mark.parametrize("folder", FOLDERS, ids=str)
@pytest.mark.parametrize("language", LANGUAGES)
def test_a_plural_has_the_forms_of_its_language(folder: Path, language: str) -> None:
    for key, text in dictionary(folder, language).items():
        for forms in re.findall(r"\{\w+, plural, ((?:\w+ \{[^{}]*\}\s*)+)\}", text):
            assert set(re.findall(r"(\w+) \{", forms)) >= CATEGORIES[language], f"{key}: {text}"
