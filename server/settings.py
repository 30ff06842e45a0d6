"""Settings: one frozen object, built once at the start from flags, environment and a TOML file, and passed down."""

import base64
import ipaddress
import os
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, ValidationError, field_validator
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from recorder.keyring import parse

PREFIX = "SIGHTLINE_"
CONFIG_VARIABLE = "SIGHTLINE_CONFIG"


class SettingsError(Exception):
    """A setting is unknown or invalid; the text names it and says what to do."""


class Settings(BaseSettings):
    """Every setting of a Sightline process.

    In the environment they are `SIGHTLINE_<NAME>`, secrets also `SIGHTLINE_<NAME>_FILE`.
    """

    model_config = SettingsConfigDict(env_prefix=PREFIX, frozen=True, extra="forbid")

    host: str = Field("127.0.0.1", description="Address to listen on.")
    port: int = Field(8080, ge=0, le=65535, description="Port to listen on; 0 takes a free one.")
    data: Path = Field(Path("data"), description="Folder of everything that is stored.")
    organization: str = Field("Sightline", min_length=1, max_length=100, description="Name that customers see.")
    public_url: str | None = Field(None, description="Address by which people reach the server, when behind a proxy.")
    tls: Literal["off", "self-signed", "files"] = Field("off", description="How the server itself speaks TLS.")
    tls_cert: Path | None = Field(None, description="Certificate chain (PEM), for tls = files.")
    tls_key: Path | None = Field(None, description="Private key (PEM), for tls = files.")
    database_url: str | None = Field(None, description="SQLAlchemy address; by default SQLite in the data folder.")
    database_timeout_s: float = Field(5.0, gt=0, le=120, description="How long to wait for a locked database.")
    secret: SecretStr | None = Field(None, description="Key of keyed hashes; by default made once in the data folder.")
    signing_key: SecretStr | None = Field(
        None, description="Ed25519 key of checkpoints (base64 of 32 bytes); by default made once in the data folder."
    )
    checkpoint_webhook: str | None = Field(None, description="Address that every checkpoint is sent to.")
    strict_recording: bool = Field(
        False, description="Whether sharing is paused while recording fails, unless the session's start says otherwise."
    )
    control: bool = Field(False, description="Whether agents may ask to control a customer's computer.")
    recording_keys: SecretStr | None = Field(
        None, description="Keys of recordings, id:base64 each; by default made once in the data folder."
    )
    process_secret: SecretStr | None = Field(None, description="Shared with workers and recorders; random by default.")
    children: bool = Field(True, description="Whether serve starts a worker and a recorder itself.")
    clients: Path | None = Field(None, description="Folder of built clients; by default clients in the data folder.")
    stun_urls: list[str] = Field([], description="STUN servers, as stun:name:port.")
    turn_urls: list[str] = Field([], description="TURN servers (coturn), as turn:name:port?transport=udp.")
    turn_secret: SecretStr | None = Field(None, description="coturn's static-auth-secret.")
    turn_lifetime_s: int = Field(3600, ge=60, description="How long a TURN credential is valid.")
    login_lifetime_h: int = Field(12, ge=1, le=720, description="How long a login lasts.")
    invitation_lifetime_min: int = Field(10, ge=1, le=1440, description="How long a spoken code can be used.")
    link_lifetime_h: int = Field(24, ge=1, le=168, description="How long an invitation's link can be used.")
    job_lease_s: float = Field(30.0, ge=0.5, le=600, description="How long a worker may be silent about its job.")
    grace_s: float = Field(15.0, ge=0, le=600, description="How long a participant may be unreachable before it left.")
    ping_s: float = Field(15.0, gt=0, le=120, description="Interval of WebSocket pings.")
    trusted_proxies: list[str] = Field([], description="Addresses whose X-Forwarded-For is believed.")
    log_level: Literal["debug", "info", "warning", "error"] = Field("info", description="Least level that is logged.")
    log_format: Literal["auto", "console", "json"] = Field("auto", description="How log lines look.")

    @field_validator("public_url")
    @classmethod
    def _public_url_is_an_origin(cls, value: str | None) -> str | None:
        if value is None:
            return None
        parts = urlsplit(value)
        if parts.scheme not in {"http", "https"} or not parts.netloc or parts.path not in {"", "/"} or parts.query:
            raise ValueError("must be an origin such as https://help.example.org")
        return f"{parts.scheme}://{parts.netloc}"

    @field_validator("checkpoint_webhook")
    @classmethod
    def _webhook_is_an_address(cls, value: str | None) -> str | None:
        if value is not None and not (urlsplit(value).scheme in {"http", "https"} and urlsplit(value).netloc):
            raise ValueError("must be an address such as https://archive.example.org/checkpoints")
        return value

    @field_validator("signing_key")
    @classmethod
    def _signing_key_is_a_seed(cls, value: SecretStr | None) -> SecretStr | None:
        try:
            fits = value is None or len(base64.b64decode(value.get_secret_value(), validate=True)) == 32
        except ValueError:
            fits = False
        if not fits:
            raise ValueError("must be the base64 of 32 bytes, as `openssl rand -base64 32` makes them")
        return value

    @field_validator("recording_keys")
    @classmethod
    def _recording_keys_are_keys(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None:
            parse(value.get_secret_value())
        return value

    @field_validator("trusted_proxies")
    @classmethod
    def _proxies_are_addresses(cls, value: list[str]) -> list[str]:
        return [str(ipaddress.ip_address(address)) for address in value]

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Flags over environment; the TOML file and `*_FILE` come in through `load`."""
        return (init_settings,)

    @property
    def secure(self) -> bool:
        """Whether browsers speak TLS with us, directly or through a proxy."""
        return self.tls != "off" or (self.public_url or "").startswith("https://")

    @property
    def database(self) -> str:
        """The SQLAlchemy address of the database."""
        return self.database_url or f"sqlite+aiosqlite:///{(self.data / 'sightline.db').resolve()}"

    @property
    def clients_folder(self) -> Path:
        """Where the clients are that customers can download."""
        return self.clients or self.data / "clients"

    def masked(self) -> dict[str, object]:
        """Every setting by name, secrets as stars."""
        shown: dict[str, object] = {}
        for name in type(self).model_fields:
            value = getattr(self, name)
            shown[name] = "********" if isinstance(value, SecretStr) else value
        return shown


_SECRETS = frozenset(name for name, field in Settings.model_fields.items() if "SecretStr" in str(field.annotation))
_LISTS = frozenset(name for name, field in Settings.model_fields.items() if "list" in str(field.annotation))


def _from_environment(environment: Mapping[str, str]) -> dict[str, Any]:
    values: dict[str, Any] = {}
    for variable, text in environment.items():
        if not variable.startswith(PREFIX) or variable == CONFIG_VARIABLE:
            continue
        name = variable.removeprefix(PREFIX).lower()
        secret_of = name.removesuffix("_file")
        if name in Settings.model_fields:
            values[name] = [part for part in text.split(",") if part] if name in _LISTS else text
        elif name.endswith("_file") and secret_of in _SECRETS:
            try:
                values[secret_of] = Path(text).read_text().strip()
            except OSError as error:
                raise SettingsError(f"{variable}: the file cannot be read: {error.strerror}.") from error
        else:
            raise SettingsError(f"{variable} is not a setting. `sightline config show` lists all that exist.")
    return values


def _from_file(path: Path) -> dict[str, Any]:
    try:
        values = tomllib.loads(path.read_text())
    except OSError as error:
        raise SettingsError(f"{path}: cannot be read: {error.strerror}.") from error
    except tomllib.TOMLDecodeError as error:
        raise SettingsError(f"{path}: not valid TOML: {error}.") from error
    if unknown := sorted(values.keys() - Settings.model_fields.keys()):
        raise SettingsError(f"{path}: {', '.join(unknown)} is not a setting. `sightline config show` lists all.")
    return values


def load(environment: Mapping[str, str] | None = None, **flags: object) -> Settings:
    """The settings: flags that are not None, over the environment, over the TOML file named by `SIGHTLINE_CONFIG`.

    Raises `SettingsError` when a setting is unknown or invalid.
    """
    environment = os.environ if environment is None else environment
    values: dict[str, Any] = {}
    if path := environment.get(CONFIG_VARIABLE):
        values |= _from_file(Path(path))
    values |= _from_environment(environment)
    values |= {name: value for name, value in flags.items() if value is not None}
    try:
        settings = Settings(**values)
    except ValidationError as error:
        lines = [f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors(include_input=False)]
        raise SettingsError("Invalid settings: " + "; ".join(lines)) from None
    if settings.tls == "files" and not (settings.tls_cert and settings.tls_key):
        raise SettingsError("tls = files needs tls_cert and tls_key.")
    if settings.turn_urls and settings.turn_secret is None:
        raise SettingsError("turn_urls needs turn_secret (coturn's static-auth-secret).")
    return settings
