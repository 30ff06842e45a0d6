"""Whom a client is to talk to, read from what a person was sent, and from the name of a file."""

import pytest

from customer_client.invitation import Invitation, Unreadable, file_name, read_file_name, read_invitation

TOKEN = "b64_url-safe_token_of_192_bits_x"


def test_a_link_names_server_and_token() -> None:
    found = read_invitation(f" https://help.example.org:8443/join#{TOKEN}\n")
    assert found == Invitation("https://help.example.org:8443", token=TOKEN)
    assert found.page == f"https://help.example.org:8443/join#{TOKEN}"


def test_a_code_needs_its_server_and_is_read_as_people_type_it() -> None:
    assert read_invitation("4f7k 2m9q", "help.example.org") == Invitation("https://help.example.org", code="4F7K-2M9Q")
    assert read_invitation("http://localhost:8080/join#4F7K-2M9Q").code == "4F7K-2M9Q"


@pytest.mark.parametrize(
    ("text", "server", "code"),
    [
        ("https://help.example.org/join", None, "link"),
        ("https://help.example.org@evil.example/join#" + TOKEN, None, "link"),
        ("ftp://help.example.org/join#" + TOKEN, None, "link"),
        ("help me", "help.example.org", "code"),
        ("4F7K-2M9Q", None, "server"),
        ("4F7K-2M9Q", "ftp://help.example.org", "server"),
    ],
)
def test_what_makes_no_sense_is_refused_by_name(text: str, server: str | None, code: str) -> None:
    with pytest.raises(Unreadable) as refused:
        read_invitation(text, server)
    assert refused.value.code == code


@pytest.mark.parametrize(
    "server", ["https://help.example.org", "https://help.example.org:8443", "http://127.0.0.1:8080", "http://[::1]:80"]
)
def test_a_file_name_says_what_was_put_into_it(server: str) -> None:
    name = file_name(server, "4F7K-2M9Q")
    assert not set(name) & set('\\/:*?"<>|')
    for given in (name, f"{name} (1).zip", f"Copy of {name}", f"/home/dana/Downloads/{name}/Sightline"):
        assert read_file_name(given) == Invitation(server, code="4F7K-2M9Q")


@pytest.mark.parametrize("name", ["Sightline", "Sightline_help.example.org", "Sightline_a/b_4F7K-2M9Q", "x_4F7K-2M9Q"])
def test_another_name_says_nothing(name: str) -> None:
    assert read_file_name(name) is None
