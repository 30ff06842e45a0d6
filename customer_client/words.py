"""Words in the person's language: flat dictionaries, filled in as `signaling/browser/language.ts` does."""

import ctypes
import json
import locale
import os
import re
import sys
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path

LANGUAGES: Mapping[str, str] = {"en": "English", "ru": "Русский", "el": "Ελληνικά"}

_FOLDER = Path(__file__).parent / "languages"
_PLURAL = re.compile(r"\{(\w+), plural, ((?:\w+ \{[^{}]*\}\s*)+)\}")
_FORM = re.compile(r"(\w+) \{([^{}]*)\}")
_VALUE = re.compile(r"\{(\w+)\}")


@cache
def dictionary(language: str) -> Mapping[str, str]:
    """All phrases of a language, by key."""
    found: dict[str, str] = json.loads((_FOLDER / f"{language}.json").read_text("utf-8"))
    return found


def fill(text: str, values: Mapping[str, str | int], language: str) -> str:
    """`text` with its values: plural forms first (CLDR's rules for whole numbers), then plain ones."""

    def plural(found: re.Match[str]) -> str:
        count = values.get(found[1])
        if not isinstance(count, int):
            return found[0]
        forms = dict(_FORM.findall(found[2]))
        return str(forms.get(_category(count, language), forms.get("other", "#"))).replace("#", str(count))

    return _VALUE.sub(lambda found: str(values.get(found[1], found[0])), _PLURAL.sub(plural, text))


def _category(count: int, language: str) -> str:
    if language != "ru":
        return "one" if count == 1 else "other"
    if count % 10 == 1 and count % 100 != 11:
        return "one"
    return "few" if count % 10 in (2, 3, 4) and count % 100 not in (12, 13, 14) else "many"


def system_language() -> str:
    """The first of the person's languages that we have, or English."""
    return next((tag for name in _names() for tag in [name.lower()[:2]] if tag in LANGUAGES), "en")


def _names() -> list[str]:
    if sys.platform == "win32":
        return [locale.windows_locale.get(ctypes.windll.kernel32.GetUserDefaultUILanguage(), "")]
    names = [os.environ.get(name, "") for name in ("LC_ALL", "LC_MESSAGES", "LANG")]
    return [*os.environ.get("LANGUAGE", "").split(":"), *names]


class Words:
    """Speaks one language; call it with a key and its values."""

    def __init__(self, language: str | None = None) -> None:
        self.language = language if language is not None and language in LANGUAGES else system_language()

    def __call__(self, key: str, /, **values: str | int) -> str:
        text = dictionary(self.language).get(key) or dictionary("en").get(key) or key
        return fill(text, values, self.language)

    def known(self, key: str) -> bool:
        return key in dictionary("en")

    def listed(self, names: Sequence[str]) -> str:
        """ "Maria", "Maria and Bob", "Maria, Bob and Eve"."""
        if len(names) < 2:
            return "".join(names)
        return self("list.and", list=", ".join(names[:-1]), last=names[-1])

    def duration(self, seconds: float) -> str:
        """A length of time: to the second below a minute, to the minute above."""
        whole = max(0, round(seconds))
        if whole < 60:
            return self("time.seconds", count=whole)
        hours, minutes = divmod(whole // 60, 60)
        parts = [self("time.hours", count=hours)] * (hours > 0) + [self("time.minutes", count=minutes)] * (minutes > 0)
        return " ".join(parts)
