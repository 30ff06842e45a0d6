"""EBML (RFC 8794): elements made of an id, a size and content; ids are written as the RFC gives them."""

UNKNOWN_SIZE = b"\x01" + b"\xff" * 7


def identifier(number: int) -> bytes:
    """An element's id as it stands in a file."""
    return number.to_bytes((number.bit_length() + 7) // 8, "big")


def size(value: int, length: int | None = None) -> bytes:
    """An element's size, in as few bytes as it takes or in `length`."""
    length = length or next(n for n in range(1, 9) if value < (1 << 7 * n) - 1)
    return (value | 1 << 7 * length).to_bytes(length, "big")


def element(number: int, content: bytes) -> bytes:
    """A whole element."""
    return identifier(number) + size(len(content)) + content


def unsigned(number: int, value: int, length: int | None = None) -> bytes:
    """An element that is an unsigned integer, in as few bytes as it takes or in `length`."""
    return element(number, value.to_bytes(length or max(1, (value.bit_length() + 7) // 8), "big"))


def text(number: int, value: str) -> bytes:
    """An element that is a string."""
    return element(number, value.encode())


def head(data: bytes | bytearray, at: int) -> tuple[int, int | None, int] | None:
    """(id, size, where the content begins) of the element that begins at `at`; None when it is not all there yet.

    An unknown size is None. Raises ValueError when no element can begin so.
    """
    width = 0
    values = list[int]()
    for longest in (4, 8):
        if at >= len(data):
            return None
        width = 9 - data[at].bit_length()
        if width > longest:
            raise ValueError("no EBML element")
        if at + width > len(data):
            return None
        values.append(int.from_bytes(data[at : at + width], "big"))
        at += width
    plain = (1 << 7 * width) - 1
    found = values[1] & plain
    return values[0], None if found == plain else found, at
