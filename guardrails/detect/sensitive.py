# ruff: noqa: E501 - tables and patterns read better on one line
"""Sensitive topics: the special categories of GDPR article 9, and offences (article 10).

A finding says what the text is about, not who somebody is: policies use it to raise the data
class. Nothing here is masked. Word lists only; a topic counts when a word stands whole.
"""

import re
from functools import cache

from guardrails.findings import Finding

TOPICS: dict[str, tuple[str, ...]] = {
    "HEALTH": (
        "diagnos\\w{0,6}", "cancer\\w{0,4}", "tumou?rs?", "tumeurs?", "diabet\\w{0,5}", "diabète", "hiv", "vih", "depression",
        "dépression", "dépressi\\w{1,3}", "burn-?out", "chemotherapy", "chimiothérapie", "psychiatr\\w{1,5}", "antidepress\\w{1,4}",
        "antidépresseurs?", "pregnan\\w{1,3}", "enceinte", "grossesse", "disabilit\\w{1,3}", "disabled", "handicap\\w{0,4}", "rqth",
        "sick leave", "arrêt maladie", "arrêt de travail", "medical condition", "dossier médical", "medical record", "prescription",
        "ordonnance", "surgery", "chirurgie", "epilep\\w{1,4}", "épilep\\w{1,4}", "schizophren\\w{1,4}", "schizophrén\\w{1,4}",
        "asthma\\w{0,3}", "asthm\\w{1,4}", "hepatitis", "hépatite", "miscarriage", "fausse couche", "addict\\w{1,4}", "alcoholi\\w{1,3}",
        "alcooli\\w{1,4}", "maladie chronique", "chronic illness", "mi-temps thérapeutique", "affection de longue durée",
    ),
    "RELIGION": (
        "muslims?", "musulman\\w{0,3}", "catholic\\w{0,3}", "catholiques?", "jewish", "jews?", "juif|juive|juifs|juives", "protestant\\w{0,3}",
        "buddhis\\w{1,2}", "bouddhis\\w{1,3}", "hindu\\w{0,3}", "hindou\\w{0,4}", "atheis\\w{1,2}", "athée?s?", "ramadan", "halal", "kosher",
        "casher", "mosque", "mosquée", "synagogue", "hijab", "religious belief\\w{0,1}", "convictions religieuses", "croyances religieuses",
    ),
    "UNION_MEMBERSHIP": (
        "trade union\\w{0,3}", "labou?r union", "union (?:member|representative|delegate|dues)\\w{0,4}", "shop steward", "syndicat\\w{0,2}",
        "syndiqu\\w{1,4}", "syndical\\w{0,4}", "délégué\\w{0,2} syndica\\w{1,3}", "cgt", "cfdt", "cfe-cgc", "unsa", "went on strike", "gréviste\\w{0,1}",
    ),
    "POLITICS": (
        "political (?:opinion|party|view|affiliation)\\w{0,2}", "party member(?:ship)?", "opinions? politiques?", "parti (?:socialiste|communiste|républicain)",
        "militant\\w{0,2} (?:politique|écologiste|communiste|socialiste)", "votes? (?:for|pour) (?:the )?(?:left|right|la gauche|la droite|labour|conservatives?)",
        "rassemblement national", "la france insoumise", "carte du parti", "élu\\w{0,2} (?:de gauche|de droite)",
    ),
    "ETHNICITY": (
        "ethnic\\w{0,4} (?:origin|background|group|minority)", "racial origin", "skin colou?r", "origine ethnique", "origines ethniques",
        "couleur de peau", "race ou ethnie", "roma (?:people|community)", "gens du voyage", "communauté rom",
    ),
    "SEXUAL_ORIENTATION": (
        "homosexu\\w{1,5}", "bisexu\\w{1,5}", "heterosexual\\w{0,3}", "hétérosexu\\w{1,4}", "lesbian\\w{0,1}", "lesbiennes?", "gay",
        "transgender", "transgenres?", "transsexu\\w{1,4}", "sexual orientation", "orientation sexuelle", "sex life", "vie sexuelle",
    ),
    "GENETIC_BIOMETRIC": (
        "dna (?:test|sample|profile)", "test adn", "génétique\\w{0,1}", "genetic (?:test|data|disease|disorder)\\w{0,1}", "fingerprint\\w{0,2}",
        "empreintes? digitales?", "facial recognition", "reconnaissance faciale", "retina scan", "biométri\\w{1,4}", "biometric\\w{0,1}",
    ),
    "OFFENCE": (
        "criminal record", "casier judiciaire", "convicted of", "condamn\\w{1,3} pour", "prison sentence", "peine de prison", "on parole",
        "liberté conditionnelle", "arrested for", "interpellé\\w{0,2} pour", "garde à vue", "police custody",
    ),
}  # fmt: skip
"""Topic to word patterns (bounded), English and French together."""


@cache
def _compiled() -> tuple[tuple[str, re.Pattern[str]], ...]:
    return tuple(
        (topic, re.compile(rf"(?<![\w-])(?:{'|'.join(words)})(?![\w-])", re.IGNORECASE))
        for topic, words in TOPICS.items()
    )


def find(text: str) -> list[Finding]:
    """One finding per mention; kind is the topic, offsets into `text`."""
    return sorted(
        Finding(
            m.start(), m.end(), topic, 0.7, "sensitive-topic", "The text touches a sensitive topic."
        )
        for topic, pattern in _compiled()
        for m in pattern.finditer(text)
    )
