"""Every code has words in both languages, and unknown failures still mean no."""

import re
from pathlib import Path

import pytest

from sandbox.broker.errors import ModelError, translate
from ui.messages import LANGUAGES, Language, catalogue

CODES = sorted(
    set(
        re.findall(
            r'"((?:model|secrets-file)-[a-z-]+)"',
            "".join(
                (Path(__file__).parents[3] / "sandbox" / "broker" / name).read_text("utf-8")
                for name in (
                    "errors.py",
                    "models.py",
                    "embedded.py",
                    "model_fetch.py",
                    "model_server.py",
                    "routing.py",
                    "secrets_file.py",
                )
            ),
        )
    )
)


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("code", CODES)
def test_every_code_has_words(code: str, language: Language) -> None:
    assert f"error.{code}" in catalogue(language)


def test_the_codes_were_found() -> None:
    assert {"model-timeout", "model-hash", "model-too-long", "secrets-file-open"} <= set(CODES)


def test_an_unknown_error_before_and_after_the_first_word() -> None:
    assert translate(RuntimeError("x")).code == "model-unavailable"
    assert translate(RuntimeError("x"), started=True).code == "model-interrupted"


def test_a_translated_error_stays_what_it_is() -> None:
    error = ModelError("model-auth")
    assert translate(error, started=True) is error


def test_a_cause_says_more_than_its_wrapper() -> None:
    class APIConnectionError(Exception):
        """As litellm wraps a timeout of the transport."""

    try:
        try:
            raise TimeoutError
        except TimeoutError as error:
            raise APIConnectionError from error
    except APIConnectionError as error:
        assert translate(error).code == "model-timeout"
