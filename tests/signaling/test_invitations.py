"""Codes that are spoken and typed, and what is stored of them."""

import pytest

from signaling.invitations import ALPHABET, code_hash, link_hash, new_code, new_link_token, read_code


def test_a_code_is_eight_letters_without_those_that_are_misread() -> None:
    codes = {new_code() for _ in range(200)}
    assert len(codes) == 200
    for code in codes:
        assert len(code) == 9
        assert code[4] == "-"
        assert set(code.replace("-", "")) <= set(ALPHABET)
    assert not set(ALPHABET) & set("ILOU")
    assert set("".join(codes)) == {*ALPHABET, "-"}


def test_every_code_is_read_as_itself() -> None:
    for _ in range(100):
        code = new_code()
        assert read_code(code) == code


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("abcd-efgh", "ABCD-EFGH"),
        ("ABCDEFGH", "ABCD-EFGH"),
        ("  ab cd ef gh ", "ABCD-EFGH"),
        ("AB.CD–EF—GH", "ABCD-EFGH"),
        ("OoIiLl00", "0011-1100"),
        ("abcd-efgu", None),
        ("abcd-efg", None),
        ("abcd-efghj", None),
        ("", None),
        ("АВСЕНКМТ", None),
        ("a" * 10_000, None),
        ("'; DROP--", None),
    ],
)
def test_a_code_is_read_as_people_type_it(typed: str, meant: str | None) -> None:
    assert read_code(typed) == meant


def test_a_links_token_has_at_least_128_bits() -> None:
    tokens = {new_link_token() for _ in range(100)}
    assert len(tokens) == 100
    assert all(len(token) * 6 >= 128 for token in tokens)


def test_what_is_stored_depends_on_the_key_and_on_the_kind() -> None:
    assert code_hash(b"key", "ABCD-EFGH") == code_hash(b"key", "ABCD-EFGH")
    assert len({code_hash(b"key", "x"), code_hash(b"other", "x"), link_hash(b"key", "x")}) == 3
