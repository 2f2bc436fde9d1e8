"""Secrets of every provider format are found; what only looks alike is not."""

import itertools

import pytest

from guardrails.detect import secrets
from tests.corpus.secret_samples import NOT_SECRETS, samples


@pytest.mark.parametrize(("text", "start", "end"), samples(each=1))
def test_a_provider_format_is_found(text: str, start: int, end: int) -> None:
    found = secrets.find(text)
    assert any(f.start < end and start < f.end for f in found), text[:24]
    assert all(text[f.start : f.end] not in f.explanation for f in found)


@pytest.mark.parametrize("text", NOT_SECRETS)
def test_what_only_looks_like_a_secret_is_left_alone(text: str) -> None:
    assert secrets.find(text) == []


def test_findings_do_not_overlap() -> None:
    text = "postgres://app:Zx81kfPq02@db/x password=Zx81kfPq02!a ghp_" + "a1B2" * 9
    found = secrets.find(text)
    assert len(found) >= 2
    assert all(a.end <= b.start for a, b in itertools.pairwise(found))
