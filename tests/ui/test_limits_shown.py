"""The limits of an agent in plain words, and which of them policy set lower."""

from dataclasses import replace
from types import SimpleNamespace
from typing import Any, cast

import pytest

from agents.spec import Limits as Asked
from sandbox.limits import CEILING, Limits
from ui.messages import LANGUAGES, Language, say
from ui.web.components.limits import limits
from ui.web.place import Place


def shown(language: Language, ceiling: Limits, asked: Asked | None = None) -> str:
    place = SimpleNamespace(
        app=SimpleNamespace(pool=SimpleNamespace(ceiling=ceiling)),
        say=lambda key, **data: say(language, key, **data),
    )
    return str(limits(cast(Place, cast(Any, place)), asked))


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_limit_is_said_with_its_number(language: Language) -> None:
    page = shown(language, CEILING, Asked(wall_s=90, model_calls=5, tool_calls=3))
    unit = "MiB" if language == "en" else "Mio"
    for words in ("90", ">5<", ">3<", "512", unit, "64", ">8<", "10"):
        assert words in page, words
    assert say(language, "seal.limits.policy") not in page


@pytest.mark.parametrize("language", LANGUAGES)
def test_what_policy_lowered_is_marked(language: Language) -> None:
    page = shown(language, replace(CEILING, wall_s=30.0, memory_mib=128, model_calls=2))
    # the answer's time, the code's time, the memory, the questions to the model; the rest is as is
    assert page.count(say(language, "seal.limits.policy")) == 5 - 1
    assert "128" in page and ">2 " in page.replace("</dd>", " ")
