"""What an agent who was given control does to the customer's computer: pointer, buttons, wheel, keyboard.

Places are fractions of the shared surface, as those of annotations are. Keys go by both names that a browser has for
them (UI Events): `code` is the key's place on the board, `key` what the agent's own layout makes of it.
"""

from typing import Annotated, Literal

import msgspec

from annotate.board import snake_case
from annotate.shapes import Fraction

Button = Literal["left", "middle", "right", "back", "forward"]
Code = Annotated[str, msgspec.Meta(pattern="^[A-Za-z0-9]{1,32}$")]
Key = Annotated[str, msgspec.Meta(min_length=1, max_length=32)]
Detents = Annotated[int, msgspec.Meta(ge=-20, le=20)]


class _Input(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="kind", tag=snake_case):
    pass


class MovePointer(_Input, frozen=True):
    x: Fraction
    y: Fraction


class PressButton(_Input, frozen=True):
    """Where the pointer is."""

    button: Button


class ReleaseButton(_Input, frozen=True):
    button: Button


class TurnWheel(_Input, frozen=True):
    """By so many detents to the right and down."""

    x: Detents
    y: Detents


class PressKey(_Input, frozen=True):
    """KeyboardEvent.code and KeyboardEvent.key. Only modifiers are held; any other key comes again while it is."""

    code: Code
    key: Key


class ReleaseKey(_Input, frozen=True):
    """Of a modifier; of any other key it means nothing."""

    code: Code
    key: Key


class TypeText(_Input, frozen=True):
    """Text that no single key makes: composed, dictated or pasted."""

    text: Annotated[str, msgspec.Meta(min_length=1, max_length=500)]


Input = MovePointer | PressButton | ReleaseButton | TurnWheel | PressKey | ReleaseKey | TypeText
Inputs = Annotated[list[Input], msgspec.Meta(max_length=64)]
