"""Where the client is invited to: a server, and the link's token or the spoken code that opens a session there.

A downloaded client carries both in the name of its file or folder, so that the file itself, and a signature of it,
never changes: `Sightline_help.example.org_4F7K-2M9Q`. What a file name can't hold is written otherwise: `~` for the
colon before a port, and `http~` in front of a server without TLS.
"""

import re
from dataclasses import dataclass
from urllib.parse import unquote, urlsplit

from signaling.invitations import read_code

_SERVER = re.compile(r"(?:http~)?(?:[A-Za-z0-9](?:[A-Za-z0-9.-]{0,252})|\[[0-9A-Fa-f~.]{2,45}\])(?:~[0-9]{1,5})?")
_NAME = re.compile(rf"Sightline_(?P<server>{_SERVER.pattern})_(?P<code>[0-9A-Za-z]{{4}}-[0-9A-Za-z]{{4}})")
_TOKEN = re.compile(r"[A-Za-z0-9_-]{16,200}")


class Unreadable(ValueError):
    """What was given is neither a link nor a code; `code` is `link`, `code` or `server`."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


@dataclass(frozen=True)
class Invitation:
    """`server` is an origin such as https://help.example.org; of `token` and `code` one is "" and is not used."""

    server: str
    token: str = ""
    code: str = ""

    @property
    def page(self) -> str:
        """The address of the browser's page with the same invitation."""
        return f"{self.server}/join#{self.token or self.code}"


def read_invitation(text: str, server: str | None = None) -> Invitation:
    """A link as it is sent, or a code with the address of its server; raises `Unreadable`."""
    given = text.strip()
    if "//" in given:
        parts = urlsplit(given)
        token = unquote(parts.fragment)
        if parts.scheme not in {"http", "https"} or not parts.netloc or "@" in parts.netloc:
            raise Unreadable("link")
        origin = f"{parts.scheme}://{parts.netloc}"
        if code := read_code(token):
            return Invitation(origin, code=code)
        if not _TOKEN.fullmatch(token):
            raise Unreadable("link")
        return Invitation(origin, token=token)
    if (code := read_code(given)) is None:
        raise Unreadable("code")
    if not server:
        raise Unreadable("server")
    return Invitation(read_server(server), code=code)


def read_server(text: str) -> str:
    """The origin that a person means by a server's address: with TLS where none is named; raises `Unreadable`."""
    parts = urlsplit(text.strip() if "//" in text else f"https://{text.strip()}")
    if parts.scheme not in {"http", "https"} or not parts.hostname or "@" in parts.netloc:
        raise Unreadable("server")
    return f"{parts.scheme}://{parts.netloc}"


def file_name(server: str, code: str) -> str:
    """What a client for this server and code is called, without an ending."""
    parts = urlsplit(server)
    plain = "http~" if parts.scheme == "http" else ""
    return f"Sightline_{plain}{parts.netloc.replace(':', '~')}_{code}"


def read_file_name(name: str) -> Invitation | None:
    """The invitation in a file's or folder's name, whatever a browser has added, such as ` (1)`; None without."""
    if (found := _NAME.search(name)) is None or (code := read_code(found["code"])) is None:
        return None
    secure = not found["server"].startswith("http~")
    netloc = found["server"].removeprefix("http~").replace("~", ":")
    return Invitation(f"{'https' if secure else 'http'}://{netloc}", code=code)
