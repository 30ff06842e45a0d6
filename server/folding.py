"""Text made comparable for search: what is the same word to a reader is the same letters here."""

import unicodedata


def fold(text: str) -> str:
    """Without case, accents, Greek tonos and final sigma, Russian yo as ye; compatibility forms as plain letters."""
    decomposed = unicodedata.normalize("NFKD", text.casefold())
    return "".join(letter for letter in decomposed if not unicodedata.combining(letter))


def words(text: str) -> list[str]:
    """The folded words of a text: runs of letters and digits."""
    return "".join(letter if letter.isalnum() else " " for letter in fold(text)).split()


def search_text(*parts: str) -> str:
    """What stands in a `search_text` column: the folded words with a space before and after each."""
    return " " + " ".join(word for part in parts for word in words(part)) + " "


def match_expression(query: str) -> str | None:
    """An FTS5 query for all words of `query`, the last as a prefix; None when it has no word."""
    terms = words(query)[:12]
    return " ".join(f'"{term}"' for term in terms[:-1]) + f' "{terms[-1]}"*' if terms else None


def like_patterns(query: str) -> list[str]:
    """LIKE patterns that must all match a `search_text` column: each word of the query as the beginning of a word."""
    return [f"% {word}%" for word in words(query)[:12]]


def any_expression(text: str) -> str | None:
    """An FTS5 query for any of the longer words of a text; None when it has none."""
    terms = [term for term in words(text) if len(term) > 3][:12]
    return " OR ".join(f'"{term}"' for term in terms) or None
