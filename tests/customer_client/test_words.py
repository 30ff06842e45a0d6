"""The native client's words: filled in by each language's rules, and there for everything that it says."""

import re
from pathlib import Path

import pytest

from customer_client import words as module
from customer_client.words import Words, dictionary, system_language

SOURCES = sorted(Path(module.__file__).parent.rglob("*.py"))


@pytest.mark.parametrize(
    ("language", "count", "said"),
    [
        ("en", 1, "1 part is covered"),
        ("en", 2, "2 parts are covered"),
        ("ru", 1, "Закрыта 1 часть"),
        ("ru", 3, "Закрыто 3 части"),
        ("ru", 12, "Закрыто 12 частей"),
        ("ru", 21, "Закрыта 21 часть"),
        ("el", 1, "Καλύπτεται 1 μέρος"),
        ("el", 5, "Καλύπτονται 5 μέρη"),
    ],
)
def test_numbers_follow_the_rules_of_the_language(language: str, count: int, said: str) -> None:
    assert Words(language)("cover.count", count=count) == said


def test_lists_and_lengths_of_time_read_well() -> None:
    words = Words("en")
    assert words.listed([]) == ""
    assert words.listed(["Alice"]) == "Alice"
    assert words.listed(["Alice", "Bob", "Eve"]) == "Alice, Bob and Eve"
    assert [words.duration(seconds) for seconds in (1.2, 59, 60, 3600, 5400)] == [
        "1 second",
        "59 seconds",
        "1 minute",
        "1 hour",
        "1 hour 30 minutes",
    ]


def test_a_name_with_braces_is_shown_as_it_is() -> None:
    assert Words("en")("chat.empty", agent="{organization}").startswith("Write to {organization} here")


def test_the_language_is_the_systems_when_we_have_it(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("LANGUAGE", "LC_ALL", "LC_MESSAGES", "LANG"):
        monkeypatch.delenv(name, raising=False)
    assert system_language() == "en"
    monkeypatch.setenv("LANG", "el_GR.UTF-8")
    assert system_language() == "el"
    monkeypatch.setenv("LANGUAGE", "de:ru")
    assert system_language() == "ru"


def test_everything_that_is_said_is_in_the_dictionary() -> None:
    said: set[str] = set()
    for source in SOURCES:
        text = source.read_text("utf-8")
        said |= set(re.findall(r'words\(\s*"([^"{}]+)"', text))
        said |= {f"told.{key}" for key in re.findall(r'tell\(\s*"([^"{}]+)"', text)}
    assert len(said) > 80
    assert said - dictionary("en").keys() == set()
