"""Orders: what the server tells a recorder process over its control WebSocket, as JSON."""

import msgspec


class Record(msgspec.Struct, frozen=True, tag_field="type", tag="record"):
    """Take part in this session with this participant token: record it, and hand it on, as its timeline says."""

    session: str
    token: str


class Release(msgspec.Struct, frozen=True, tag_field="type", tag="release"):
    """Finish what is being written of this session, and leave it."""

    session: str


Order = Record | Release
