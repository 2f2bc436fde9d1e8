"""Errors become a status, a code and a sentence; the disk is full in more than one way."""

import errno
import logging
from pathlib import Path

import pytest
import sqlalchemy as sa

from guardrails.errors import (
    BadInput,
    GuardrailError,
    LedgerUnavailable,
    NotPermitted,
    PolicyDenied,
    ScreenFailed,
)
from ui.faults import disk_full, status_of, translated, worded


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (GuardrailError("not-signed-in"), 401),
        (NotPermitted(), 403),
        (PolicyDenied(rule="DP-03"), 403),
        (BadInput("agent-not-found"), 404),
        (BadInput("no-such-version"), 404),
        (BadInput("too-large", limit=25), 413),
        (BadInput("empty-message"), 422),
        (GuardrailError("too-many-attempts", seconds=5), 429),
        (GuardrailError("model-unavailable"), 502),
        (ScreenFailed(), 503),
        (LedgerUnavailable(), 503),
        (GuardrailError("disk-full"), 507),
    ],
)
def test_every_refusal_has_a_fitting_status(error: GuardrailError, status: int) -> None:
    assert status_of(error) == status


def test_a_real_full_database_is_a_full_disk(tmp_path: Path) -> None:
    engine = sa.create_engine(f"sqlite:///{tmp_path / 'small.db'}")
    with pytest.raises(sa.exc.OperationalError) as caught, engine.begin() as db:
        db.exec_driver_sql("pragma max_page_count = 4")
        db.exec_driver_sql("create table t (x)")
        db.exec_driver_sql("insert into t values (zeroblob(100000))")
    engine.dispose()
    assert disk_full(caught.value) and translated(caught.value).code == "disk-full"
    assert disk_full(OSError(errno.EDQUOT, "quota")) and not disk_full(OSError(errno.EACCES, "no"))


def test_an_unknown_error_is_logged_without_its_text(caplog: pytest.LogCaptureFixture) -> None:
    content = "Ada Sample, 1 Sample Street"
    with caplog.at_level(logging.ERROR):
        try:
            raise ValueError(content)
        except ValueError as error:
            assert translated(error).code == "internal"
    assert "ValueError" in caplog.text and "test_faults" in caplog.text
    assert content not in caplog.text.replace(f'content = "{content}"', "")


def test_a_fix_named_by_key_is_put_into_words() -> None:
    english = worded(GuardrailError("no-seal", fix="seal.fix.install"), "en")
    french = worded(GuardrailError("no-seal", fix="seal.fix.install"), "fr")
    assert "seal.fix" not in english + french and english != french


def test_missing_data_still_gives_a_sentence() -> None:
    for code in ("too-large", "policy-denied", "not-known-at-all"):
        sentence = worded(GuardrailError(code, other="x"), "en")
        assert "{" not in sentence and len(sentence) > 40


def test_a_number_that_the_store_cannot_hold_is_said_in_words() -> None:
    assert translated(OverflowError("too large")).code == "out-of-range"
