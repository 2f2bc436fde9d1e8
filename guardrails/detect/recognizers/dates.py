# ruff: noqa: E501 - tables and patterns read better on one line
"""Dates: full calendar dates, time stamps, and weaker mentions (years, weekdays) with low scores."""

from guardrails.detect.recognizers.checks import calendar
from guardrails.detect.recognizers.shape import Shape

_MONTH = (
    "january|february|march|april|may|june|july|august|september|october|november|december|"
    "jan|feb|mar|apr|jun|jul|aug|sept?|oct|nov|dec|"
    "janvier|février|fevrier|mars|avril|mai|juin|juillet|août|aout|septembre|octobre|novembre|"
    "décembre|decembre|janv|févr|juil|déc"
)
_BORN = (
    "born",
    "birth",
    "dob",
    "birthday",
    "birthdate",
    "né",
    "née",
    "ne",
    "nee",
    "naissance",
    "ddn",
    "d.o.b",
    "nés",
    "nées",
)
_TIME = r"(?:[T ]\d{1,2}:\d{2}(?::\d{2}(?:[.,]\d{1,9})?)?(?: ?(?:Z|[+\-]\d{2}:?\d{2}|[ap]m))?)?"

SHAPES = (
    Shape(
        "DATE_TIME",
        "date-iso",
        rf"(?<![\d\-/.\[])\d{{4}}([\-/.])\d{{1,2}}\1\d{{1,2}}(?![\d\-/]){_TIME}",
        "It is a date.",
        0.7,
        0.95,
        check=calendar,
        context=_BORN,
        needs="0",
    ),
    Shape(
        "DATE_TIME",
        "date-numeric",
        rf"(?<![\w\-/.])\d{{1,2}}([\-/.])\d{{1,2}}\1(?:\d{{4}}|\d{{2}})(?![\w\-/]|\.\d){_TIME}",
        "It is a date.",
        0.7,
        0.95,
        check=calendar,
        context=_BORN,
        needs="0",
    ),
    Shape(
        "DATE_TIME",
        "date-day-month",
        r"(?<![\w\-/.])\d{1,2}/\d{1,2}(?![\w\-/%]|\.\d)",
        "It is a day and a month, and the text says so.",
        0.0,
        0.6,
        check=calendar,
        context=("on", "today", "date", "le", "du", "au", "is", *_BORN),
        reach=10,
        needs="0",
    ),
    Shape(
        "DATE_TIME",
        "date-words",
        rf"(?<![\w\-/])(?:\d{{1,2}}(?:st|nd|rd|th|er|e|ème)?[ \-](?:of )?(?:{_MONTH})(?:\.?,?[ \-]\d{{4}}|\.?[ \-]\d{{2}}(?![\w:]))?"
        rf"|(?:{_MONTH})\.?[ \-]\d{{1,2}}(?:st|nd|rd|th)?(?:,? \d{{4}})?|\d{{4}}-(?:{_MONTH})-\d{{1,2}}"
        rf"|(?:january|february|march|april|june|july|august|september|october|november|december|"
        rf"janvier|février|mars|avril|mai|juin|juillet|août|septembre|octobre|novembre|décembre) \d{{4}})(?!\w)",
        "It is a date.",
        0.7,
        0.95,
        context=_BORN,
        needs="0",
        words=(*tuple(_MONTH.replace("?", "").split("|")), "sep"),
    ),
)
