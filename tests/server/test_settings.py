"""Settings: from where they come, and what is refused at the start."""

from pathlib import Path

import pytest

from server.settings import Settings, SettingsError, load


def test_flags_win_over_the_environment_and_that_over_the_file(tmp_path: Path) -> None:
    file = tmp_path / "sightline.toml"
    file.write_text('organization = "File"\nhost = "file"\nport = 1\n')
    environment = {"SIGHTLINE_CONFIG": str(file), "SIGHTLINE_HOST": "environment", "SIGHTLINE_PORT": "2", "HOME": "/"}
    settings = load(environment, port=3, data=None)
    assert (settings.organization, settings.host, settings.port) == ("File", "environment", 3)


def test_lists_are_separated_by_commas() -> None:
    assert load({"SIGHTLINE_STUN_URLS": "stun:a,stun:b"}).stun_urls == ["stun:a", "stun:b"]
    assert load({"SIGHTLINE_STUN_URLS": ""}).stun_urls == []


def test_a_secret_may_stand_in_a_file(tmp_path: Path) -> None:
    file = tmp_path / "secret"
    file.write_text("from the file\n")
    settings = load({"SIGHTLINE_SECRET_FILE": str(file)})
    assert settings.secret is not None
    assert settings.secret.get_secret_value() == "from the file"


@pytest.mark.parametrize(
    ("environment", "named"),
    [
        ({"SIGHTLINE_PROT": "80"}, "SIGHTLINE_PROT"),
        ({"SIGHTLINE_HOST_FILE": "/x"}, "SIGHTLINE_HOST_FILE"),
        ({"SIGHTLINE_PORT": "eighty"}, "port"),
        ({"SIGHTLINE_PORT": "70000"}, "port"),
        ({"SIGHTLINE_TLS": "yes"}, "tls"),
        ({"SIGHTLINE_TLS": "files"}, "tls_cert"),
        ({"SIGHTLINE_PUBLIC_URL": "help.example.org"}, "public_url"),
        ({"SIGHTLINE_PUBLIC_URL": "https://example.org/path"}, "public_url"),
        ({"SIGHTLINE_TRUSTED_PROXIES": "proxy.example.org"}, "trusted_proxies"),
        ({"SIGHTLINE_TURN_URLS": "turn:a"}, "turn_secret"),
        ({"SIGHTLINE_SECRET_FILE": "/does/not/exist"}, "SIGHTLINE_SECRET_FILE"),
        ({"SIGHTLINE_CONFIG": "/does/not/exist"}, "/does/not/exist"),
    ],
)
def test_what_is_unknown_or_wrong_is_named_at_the_start(environment: dict[str, str], named: str) -> None:
    with pytest.raises(SettingsError, match=named):
        load(environment)


@pytest.mark.parametrize("text", ["nonsense = 1\n", "port = \n", 'port = "x"\n'])
def test_a_file_with_an_error_is_refused(tmp_path: Path, text: str) -> None:
    file = tmp_path / "sightline.toml"
    file.write_text(text)
    with pytest.raises(SettingsError):
        load({"SIGHTLINE_CONFIG": str(file)})


def test_a_wrong_secret_is_not_repeated_in_the_error() -> None:
    with pytest.raises(SettingsError) as error:
        load({"SIGHTLINE_PROCESS_SECRET": "hush hush", "SIGHTLINE_PORT": "x"})
    assert "hush" not in str(error.value)


def test_what_is_shown_holds_no_secret_and_the_object_cannot_be_changed() -> None:
    settings = load({"SIGHTLINE_SECRET": "hush hush"})
    assert settings.masked()["secret"] == "********"
    assert "hush" not in repr(settings) + str(settings.masked())
    with pytest.raises(ValueError, match="frozen"):
        settings.port = 1


def test_every_setting_says_what_it_is_for() -> None:
    assert all(field.description for field in Settings.model_fields.values())


def test_browsers_are_told_to_be_secure_only_where_there_is_tls() -> None:
    assert not load({}).secure
    assert load({"SIGHTLINE_TLS": "self-signed"}).secure
    assert load({"SIGHTLINE_PUBLIC_URL": "https://help.example.org"}).secure
