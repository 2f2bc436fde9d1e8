"""Checks of a reply: claims without an act, statements without a source, demeaning language."""

from collections.abc import Sequence

import numpy as np
import pytest

from guardrails.detect.bias import flags
from guardrails.detect.claims import unbacked
from guardrails.detect.grounding import CANDIDATES, Remembering, Vectors, check


@pytest.mark.parametrize(
    ("reply", "tools", "family"),
    [
        ("I have opened a ticket for you.", [], "create"),
        ("I've already sent the email to <PERSON_1>.", ["search_documents"], "send"),
        ("Done! The ticket has been created.", [], "create"),
        ("I have cancelled your order.", ["send_mail"], "remove"),
        ("Your meeting has been scheduled.", [], "book"),
        ("J'ai ouvert un ticket.", [], "create"),
        ("Le courriel a bien été envoyé à Marie.", ["date_today"], "send"),
        ("Je vous ai envoyé le rapport.", [], "send"),
        ("Nous avons supprimé le fichier.", [], "remove"),
    ],
)
def test_a_claimed_action_that_no_tool_did_is_found(
    reply: str, tools: list[str], family: str
) -> None:
    (claim,) = unbacked(reply, tools)
    assert claim.family == family


@pytest.mark.parametrize(
    ("reply", "tools"),
    [
        ("I've sent the email.", ["send_mail"]),
        ("I have opened a ticket.", ["create_ticket"]),
        ("Le courriel a été envoyé.", ["envoyer_courriel"]),
        ("I have added a table below.", []),
        ("I created a summary of the meeting.", []),
        ("J'ai ajouté une colonne au tableau.", []),
        ("Once the form has been sent, you will get an answer.", []),
        ("I have not sent anything.", []),
        ("Si le fichier a été supprimé, prévenez-moi.", []),
        ("The order has been cancelled by the supplier.", []),
        ("Le rapport dit que les ventes ont été modifiées par le marché.", []),
        ("", []),
    ],
)
def test_what_is_no_claim_stays_silent(reply: str, tools: list[str]) -> None:
    assert unbacked(reply, tools) == []


class Words:
    """Embeds by shared words: near for the same words, far otherwise."""

    def passages(self, texts: Sequence[str]) -> Vectors:
        rows = np.zeros((len(texts), 512), dtype=np.float32)
        for row, text in zip(rows, texts, strict=True):
            row[0] = 3.0  # like the real model, nothing is very far from anything
            for word in text.lower().split():
                row[1 + sum(map(ord, word[:6])) % 511] += 1.0
        lengths = np.linalg.norm(rows, axis=1, keepdims=True).astype(np.float32)
        result: Vectors = rows / lengths
        return result


HANDBOOK = [
    "Employees receive 25 days of annual leave. Requests go to the manager two weeks before.",
    "Remote work is possible up to two days a week after agreement with the manager.",
]


def test_supported_statements_are_told_from_invented_ones() -> None:
    reply = (
        "Employees receive 25 days of annual leave [1]. The canteen serves free lunch to trainees."
        " Would you like more details?"
    )
    first, second = check(reply, HANDBOOK, Words())
    assert (first.supported, second.supported) == (True, False)
    assert reply[second.start : second.end].strip().startswith("The canteen")


def test_a_number_that_stands_nowhere_is_unsupported() -> None:
    (statement,) = check("Employees receive 30 days of annual leave.", HANDBOOK, Words())
    assert not statement.supported


class Counted(Words):
    """Tells what it was asked."""

    def __init__(self) -> None:
        self.seen: list[str] = []

    def passages(self, texts: Sequence[str]) -> Vectors:
        self.seen += texts
        return super().passages(texts)


def test_what_words_and_numbers_decide_is_never_embedded() -> None:
    embed = Counted()
    reply = "Employees receive 25 days of annual leave. Employees receive 31 days of annual leave."
    assert [one.supported for one in check(reply, HANDBOOK, embed)] == [True, False]
    assert embed.seen == []


def test_only_a_few_sentences_of_the_passages_are_embedded_for_an_open_one() -> None:
    embed = Counted()
    passages = [f"Room {number} belongs to the finance team of Lyon." for number in range(100)]
    told = check("The finance group eats its free lunch in Grenoble.", passages, embed)
    assert len(embed.seen) == 1 + CANDIDATES
    assert len(told) == 1


def test_a_sentence_without_a_word_of_the_passages_is_unsupported_at_no_cost() -> None:
    embed = Counted()
    (told,) = check("The canteen serves free lunch to trainees.", HANDBOOK[1:], embed)
    assert not told.supported
    assert embed.seen == []


def test_a_reply_in_another_language_is_compared_with_every_sentence() -> None:
    embed = Counted()
    passages = ["The manager answers within three days. The team leaves the office together."]
    check("Le responsable répond aux demandes sous trois jours ouvrés.", passages, embed)
    assert len(embed.seen) == 3


def test_what_was_embedded_before_is_remembered_up_to_a_bound() -> None:
    embed = Counted()
    kept = Remembering(embed, most=2)
    first = kept.passages(["one two", "three four", "one two"])
    assert embed.seen == ["one two", "three four"]
    assert (first == Words().passages(["one two", "three four", "one two"])).all()
    kept.passages(["three four", "five six"])
    assert embed.seen[2:] == ["five six"]
    kept.passages(["one two"])
    assert embed.seen[3:] == ["one two"]


def test_without_passages_there_is_nothing_to_compare() -> None:
    assert check("Employees receive 25 days.", [], Words()) == []


@pytest.mark.parametrize("reply", ["", "Hello!", "Here is what I found:", "Is that all?"])
def test_what_states_nothing_is_left_out(reply: str) -> None:
    assert check(reply, HANDBOOK, Words()) == []


@pytest.mark.parametrize(
    ("text", "group", "reason"),
    [
        ("Women are too emotional for this job.", "sex", "trait"),
        ("Les femmes sont trop émotives pour diriger.", "sex", "trait"),
        ("Immigrants are criminals.", "origin", "trait"),
        ("Les étrangers sont tous des voleurs.", "origin", "trait"),
        ("We should never hire older workers.", "age", "exclusion"),
        ("Évitez d'embaucher des seniors.", "age", "exclusion"),
        ("Muslims cannot be trusted.", "religion", "trait"),
        ("Les personnes handicapées sont un fardeau.", "disability", "trait"),
    ],
)
def test_demeaning_sentences_are_flagged(text: str, group: str, reason: str) -> None:
    (flag,) = flags("Bonjour. " + text)
    assert (flag.group, flag.reason) == (group, reason)


@pytest.mark.parametrize(
    "text",
    [
        "Men and women are paid equally.",
        "Les femmes sont majoritaires dans l'équipe.",
        "It is a stereotype that women are bad at math.",
        "Il est interdit de dire que les étrangers sont des voleurs.",
        "Older employees are invited to the training.",
        "The blind people are in the next room.",
        "Jeunes et seniors sont les bienvenus.",
        "The road is dangerous at night.",
    ],
)
def test_naming_a_group_is_no_flag(text: str) -> None:
    assert flags(text) == []
