"""Exact arithmetic on one line. No names, no attributes, no calls but a handful of functions.

Decimal with 34 digits (IEEE 754 decimal128), so that 0.1 + 0.2 is 0.3 and money adds up.
"""

import ast
import re
from collections.abc import Callable, Mapping
from decimal import ROUND_HALF_UP, Context, Decimal, DecimalException, localcontext
from typing import Any

from agents.tools.base import Tool, ToolContext, ToolResult, refused

MAX_CHARACTERS = 400
MAX_NODES = 120
MAX_EXPONENT = 1000
_CONTEXT = Context(prec=34, Emax=6144, Emin=-6143)

_BINARY: dict[type[ast.operator], Callable[[Decimal, Decimal], Decimal]] = {
    ast.Add: lambda a, b: a + b,
    ast.Sub: lambda a, b: a - b,
    ast.Mult: lambda a, b: a * b,
    ast.Div: lambda a, b: a / b,
    ast.FloorDiv: lambda a, b: (a / b).to_integral_value("ROUND_FLOOR"),
    ast.Mod: lambda a, b: a - b * (a / b).to_integral_value("ROUND_FLOOR"),
}


class Unreadable(Exception):
    """The expression cannot be worked out; the text says why, for the model."""


def calculate(expression: str) -> Decimal:
    """The value of `12 % of 340`, `1 250,50 * 2`, `(3 + 4)^2`, `round(10/3, 2)`, `sum(1; 2; 3)`.

    Raises Unreadable.
    """
    if len(expression) > MAX_CHARACTERS:
        raise Unreadable(f"the expression is longer than {MAX_CHARACTERS} characters")
    try:
        tree = ast.parse(_plain(expression), mode="eval")
    except (SyntaxError, ValueError, MemoryError, RecursionError) as error:
        raise Unreadable("this is not an arithmetic expression") from error
    if sum(1 for _ in ast.walk(tree)) > MAX_NODES:
        raise Unreadable("the expression has too many parts")
    with localcontext(_CONTEXT):
        try:
            value = _value(tree.body)
        except ZeroDivisionError as error:
            raise Unreadable("division by zero") from error
        except DecimalException as error:
            if "DivisionByZero" in repr(error) or "DivisionUndefined" in repr(error):
                raise Unreadable("division by zero") from error
            raise Unreadable("the result is too large") from error
    if not value.is_finite():
        raise Unreadable("the result is not a number")
    return value


def show(value: Decimal) -> str:
    """At most 10 decimals, no trailing zeros, no exponent up to 34 digits."""
    rounded = value
    if abs(value) < Decimal(10) ** 20:
        rounded = value.quantize(Decimal(1).scaleb(-10), ROUND_HALF_UP, _CONTEXT)
    text = f"{rounded:f}"
    if len(text) > 60:
        return f"{value:.12E}"
    text = text.rstrip("0").rstrip(".") if "." in text else text
    return "0" if text in ("", "-0") else text


def _plain(text: str) -> str:
    text = text.strip().rstrip("=?").strip().lower()
    for old, new in (("×", "*"), ("·", "*"), ("÷", "/"), ("−", "-"), ("–", "-"), ("^", "**")):
        text = text.replace(old, new)
    text = re.sub(r"[€$£]|\b(eur|usd|gbp|euros?)\b", " ", text)
    # 1 250,50 and 1,250.50 and 1.250,50 and 3,5: one number in four ways of writing
    text = re.sub(r"(?<=\d)[\u00a0\u202f' ](?=\d{3}(?!\d))", "", text)
    # inside a call a comma separates, unless semicolons do
    in_call = ";" not in text and re.search(r"\b[a-z]{3,5}\s*\(", text) is not None
    text = re.sub(r"\d[\d.,]*\d", lambda m: _number(m.group(), in_call), text)
    text = text.replace(";", ",")
    percent = r"(\d+(?:\.\d+)?)\s*(?:%|percent|pour ?cent)"
    text = re.sub(percent + r"\s*(?:of|de|du|d')\s*", r"(\1/100)*", text)
    # 200 + 12 % means 12 % of what stands before, as on a desk calculator
    text = re.sub(r"^([^%()]+?)\s*([+-])\s*" + percent + r"\s*$", r"(\1)*(1\2\3/100)", text)
    text = re.sub(percent + r"(?!\s*[\d(])", r"(\1/100)", text)
    return text.strip()


def _number(text: str, in_call: bool) -> str:
    if "," in text and "." in text:
        decimal = max(text.rfind(","), text.rfind("."))
        whole = re.sub(r"[.,]", "", text[:decimal])
        return f"{whole}.{text[decimal + 1 :]}"
    if text.count(",") > 1 or (not in_call and re.fullmatch(r"[1-9]\d{0,2},\d{3}", text)):
        # 1,250 could be French; a thousands comma is what a reader of either language writes more
        return text.replace(",", "") if re.fullmatch(r"\d{1,3}(,\d{3})+", text) else text
    if text.count(",") == 1 and not in_call:
        return text.replace(",", ".")
    return text.strip()


def _value(node: ast.AST) -> Decimal:
    match node:
        case ast.Constant(value=bool() | str() | bytes() | complex()):
            raise Unreadable("only numbers are allowed")
        case ast.Constant(value=int() | float() as number):
            return Decimal(str(number))
        case ast.UnaryOp(op=ast.USub(), operand=inner):
            return -_value(inner)
        case ast.UnaryOp(op=ast.UAdd(), operand=inner):
            return _value(inner)
        case ast.BinOp(left=left, op=ast.Pow(), right=right):
            base, power = _value(left), _value(right)
            if abs(power) > MAX_EXPONENT or (base == 0 and power < 0):
                raise Unreadable(f"an exponent may be at most {MAX_EXPONENT}")
            return base**power
        case ast.BinOp(left=left, op=operator, right=right) if type(operator) in _BINARY:
            return _BINARY[type(operator)](_value(left), _value(right))
        case ast.Call(func=ast.Name(id=name), args=args, keywords=[]) if name in _FUNCTIONS:
            return _FUNCTIONS[name]([_value(arg) for arg in args])
    raise Unreadable("only numbers, + - * / % ^ ( ) and round, abs, sqrt, min, max, sum, avg work")


def _round(args: list[Decimal]) -> Decimal:
    places = args[1] if len(args) > 1 else Decimal(0)
    if len(args) not in (1, 2) or not 0 <= places <= 20:
        raise Unreadable("round takes a number and 0 to 20 places")
    return args[0].quantize(Decimal(1).scaleb(-int(places)), ROUND_HALF_UP)


def _one(act: Callable[[Decimal], Decimal]) -> Callable[[list[Decimal]], Decimal]:
    def run(args: list[Decimal]) -> Decimal:
        if len(args) != 1:
            raise Unreadable("this function takes one number")
        return act(args[0])

    return run


def _some(act: Callable[[list[Decimal]], Decimal]) -> Callable[[list[Decimal]], Decimal]:
    def run(args: list[Decimal]) -> Decimal:
        if not args:
            raise Unreadable("this function needs numbers")
        return act(args)

    return run


_FUNCTIONS: dict[str, Callable[[list[Decimal]], Decimal]] = {
    "round": _round,
    "abs": _one(abs),
    "sqrt": _one(lambda x: x.sqrt()),
    "min": _some(min),
    "max": _some(max),
    "sum": _some(lambda xs: sum(xs, Decimal(0))),
    "avg": _some(lambda xs: sum(xs, Decimal(0)) / len(xs)),
}


async def _run(arguments: Mapping[str, Any], _context: ToolContext) -> ToolResult:
    expression = str(arguments["expression"])
    try:
        return ToolResult(f"{expression.strip()} = {show(calculate(expression))}")
    except Unreadable as error:
        return refused(f"{error}. Example: 12 % of 340")


CALCULATOR = Tool(
    name="calculator",
    label_key="tool.calculator",
    description="Exact arithmetic. Use it for every sum, percentage or price.",
    side_effect="reads",
    parameters={
        "type": "object",
        "properties": {
            "expression": {
                "type": "string",
                "description": "Arithmetic with numbers only, e.g. 12 % of 340 or (3.5 + 4) * 20",
                "minLength": 1,
                "maxLength": MAX_CHARACTERS,
            }
        },
        "required": ["expression"],
        "additionalProperties": False,
    },
    run=_run,
    icon="calculator",
    computed=True,
)
