"""Check JSON by a schema that somebody else wrote: a package's author, a tool server.

Nothing that a schema refers to is looked up outside of it, expressions take linear time (RE2), and
references are counted: a few of them, each twice in the next, would take for ever.
"""

from collections.abc import Callable, Iterator, Mapping
from contextvars import ContextVar
from functools import cache
from typing import Any, Final

from guardrails.errors import BadInput

MOST_REFERENCES: Final = 2_000  # followed while one value is checked
# they walk references by themselves, uncounted
_UNCOUNTED: Final = ("unevaluatedItems", "unevaluatedProperties")
_followed: ContextVar[list[int]] = ContextVar("followed_references")


class _NotFollowed(Exception):
    """The schema asks for more than is followed here."""


def mistake(schema: Mapping[str, Any], value: object, *, strict: bool = False) -> Any:
    """The first `jsonschema.ValidationError` of `value`, or None when it fits.

    An expression that RE2 does not read is passed over, with `strict` it matches nothing. Raises
    BadInput("schema-broken") where the schema is one that cannot be followed.
    """
    from jsonschema.exceptions import SchemaError, UnknownType
    from referencing import Registry
    from referencing.exceptions import Unresolvable

    counted = _followed.set([0])
    try:
        checker = _validator(strict)(dict(schema), registry=Registry())
        return next(iter(checker.iter_errors(value)), None)
    # what its author got wrong shows as almost anything: a limit that is a word, a circle
    except (
        _NotFollowed, Unresolvable, SchemaError, UnknownType, RecursionError, TypeError,
        ValueError, AttributeError, ArithmeticError, LookupError,
    ) as error:  # fmt: skip
        raise BadInput("schema-broken") from error
    finally:
        _followed.reset(counted)


@cache
def _validator(strict: bool) -> Any:
    from jsonschema import Draft202012Validator, ValidationError
    from jsonschema.validators import extend

    def pattern(_validator: Any, wanted: Any, value: Any, _schema: Any) -> Iterator[Any]:
        if isinstance(value, str) and not _finds(str(wanted), value, not strict):
            yield ValidationError(f"{wanted} is not found")

    def keyed(validator: Any, wanted: Any, value: Any, _schema: Any) -> Iterator[Any]:
        for expression, inner in wanted.items() if isinstance(value, dict) else ():
            for name, item in value.items():
                if _finds(expression, name, False):
                    yield from validator.descend(item, inner)

    def counted(keyword: str) -> Callable[..., Iterator[Any]]:
        follow: Callable[..., Iterator[Any]] = Draft202012Validator.VALIDATORS[keyword]

        def count(validator: Any, wanted: Any, value: Any, schema: Any) -> Iterator[Any]:
            followed = _followed.get()
            followed[0] += 1
            if followed[0] > MOST_REFERENCES:
                raise _NotFollowed
            yield from follow(validator, wanted, value, schema)

        return count

    def refused(_validator: Any, _wanted: Any, _value: Any, _schema: Any) -> Iterator[Any]:
        raise _NotFollowed

    # jsonschema leaves `extend` without types
    return extend(  # type: ignore[no-untyped-call]
        Draft202012Validator,
        {
            "pattern": pattern,
            "patternProperties": keyed,
            "$ref": counted("$ref"),
            "$dynamicRef": counted("$dynamicRef"),
            **dict.fromkeys(_UNCOUNTED, refused),
        },
    )


def _finds(expression: str, text: str, unread: bool) -> bool:
    """Whether it is found; `unread` when RE2 does not read the expression."""
    import re2

    options = re2.Options()
    options.log_errors = False  # a broken expression is its author's, not the log's
    try:
        return re2.search(expression, text, options=options) is not None
    except re2.error:
        return unread
