"""Every shape, in one place."""

from guardrails.detect.recognizers import (
    addresses,
    american,
    contact,
    dates,
    european,
    french,
    money,
    names,
)

SHAPES = (
    *contact.SHAPES, *money.SHAPES, *french.SHAPES, *european.SHAPES, *american.SHAPES,
    *dates.SHAPES, *addresses.SHAPES, *names.SHAPES,
)  # fmt: skip
