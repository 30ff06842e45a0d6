"""Invitations: a link's token, and a code that can be spoken over the telephone.

A code is 8 letters of Crockford's base32, 40 random bits, shown as XXXX-XXXX. Only keyed hashes of both are stored.
"""

import hmac
import re
import secrets

ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
"""Crockford's base32: no I, L, O, U."""
CODE_LENGTH = 8

_MISREAD = str.maketrans({"O": "0", "I": "1", "L": "1"})
_CODE = re.compile(f"[{ALPHABET}]{{{CODE_LENGTH}}}")
_SEPARATORS = re.compile(r"[\s\-\u2010-\u2015.]+")


def new_code() -> str:
    """A random code as it is shown."""
    letters = "".join(secrets.choice(ALPHABET) for _ in range(CODE_LENGTH))
    return f"{letters[:4]}-{letters[4:]}"


def new_link_token() -> str:
    """A random token of 192 bits for the fragment of a link."""
    return secrets.token_urlsafe(24)


def read_code(text: str) -> str | None:
    """What a person typed as the code it means, as it is shown; None when it can be none.

    Case, spaces and dashes do not matter; O is read as 0, I and L as 1.
    """
    letters = _SEPARATORS.sub("", text[:40]).upper().translate(_MISREAD)
    return f"{letters[:4]}-{letters[4:]}" if _CODE.fullmatch(letters) else None


def code_hash(key: bytes, code: str) -> bytes:
    """What is stored of a code; without the key 40 bits could be tried out."""
    return hmac.digest(key, b"invitation code\0" + code.encode(), "sha256")


def link_hash(key: bytes, token: str) -> bytes:
    """What is stored of a link's token."""
    return hmac.digest(key, b"invitation link\0" + token.encode(), "sha256")
