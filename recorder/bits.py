"""Bits read one after the other out of bytes, as the headers of video codecs want it."""


class Bits:
    """The bits of `data`, the highest first. Each read raises ValueError past the end."""

    def __init__(self, data: bytes) -> None:
        self._value = int.from_bytes(data, "big")
        self._left = 8 * len(data)

    def read(self, count: int) -> int:
        """The next `count` bits as a number."""
        self._left -= count
        if self._left < 0:
            raise ValueError("header is cut off")
        return self._value >> self._left & ((1 << count) - 1)

    def flag(self) -> bool:
        """The next bit."""
        return self.read(1) == 1

    def exponential(self) -> int:
        """An unsigned Exp-Golomb code: ue(v) of H.264 section 9.1, uvlc of AV1 section 4.10.3."""
        zeros = 0
        while not self.flag():
            zeros += 1
            if zeros > 32:
                raise ValueError("number is too long")
        return (1 << zeros) - 1 + self.read(zeros)

    def signed_exponential(self) -> int:
        """A signed Exp-Golomb code: se(v) of H.264 section 9.1.1."""
        value = self.exponential()
        return (value + 1) // 2 if value & 1 else -(value // 2)
