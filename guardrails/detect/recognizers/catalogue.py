"""Every shape, in one place."""

from guardrails.detect.recognizers import (
    addresses,
    american,
    asian,
    contact,
    dates,
    european,
    french,
    money,
    names,
)

SHAPES = (
    *contact.SHAPES, *money.SHAPES, *french.SHAPES, *european.SHAPES, *american.SHAPES,
    *asian.SHAPES, *dates.SHAPES, *addresses.SHAPES, *names.SHAPES,
)  # fmt: skip
