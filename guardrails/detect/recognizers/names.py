"""Names that their context gives away: titles, "my name is", "je m'appelle", from:, signatures."""

from guardrails.detect.recognizers.shape import Shape

_U = "A-ZÀ-ÖØ-ÞŒĀĂĄĆČĎĐĒĖĘĚĞĢĪĮİĶŁĻĽŃŅŇŌŐŒŔŘŚŞŠȘŤȚŪŮŰŲŹŻŽ"
_NAME = rf"[{_U}][\w'’\-]{{1,30}}(?:[ \-](?:(?:de|du|des|la|le|van|von|der|den|da|di|del|bin|ben|al|el|d['’]|O['’])[ ]?){{0,2}}[{_U}][\w'’\-]{{0,30}}\.?){{0,3}}"
_LOWER = r"[^\W\d_]{2,20}(?:[ \-][^\W\d_]{2,20})?"

SHAPES = (
    Shape(
        "PERSON",
        "title",
        rf"(?<!\w)(?:(?:M|Mr|Mme|Mlle|Me|Dr|Pr|Mrs|Ms|Prof|Mgr|MM|Mmes)\.?|Monsieur|Madame|Mademoiselle|Maître|Docteur|Professeur|Doctor|Professor|Miss|Mister|Sir|Lady) (?P<v>{_NAME})",
        "It follows a form of address.",
        0.85,
        0.85,
        cased=True,
    ),
    Shape(
        "PERSON",
        "introduction",
        rf"(?<!\w)(?:(?i:my name is|name's|i am called|call me|je m['’]appelle|je me nomme|mon nom est|c['’]est|ici|this is|regards,?\n|cordialement,?\n)) (?P<v>{_NAME})",
        "The text introduces a person.",
        0.8,
        0.8,
        cased=True,
    ),
    Shape(
        "PERSON",
        "introduction-lower-case",
        rf"(?<!\w)(?:my name is|je m['’]appelle|je me nomme|mon nom est|mon nom c['’]est|her name is|his name is|il s['’]appelle|elle s['’]appelle) (?P<v>{_LOWER})(?= et | and |[.,;!?\n]|$)",
        "The text introduces a person.",
        0.75,
        0.75,
    ),
    Shape(
        "PERSON",
        "labelled",
        rf"(?:^|\n|[|;>]) {{0,4}}(?:(?i:from|to|cc|de|à|nom|prénom|name|full name|first name|last name|nom complet|nom et prénom|patient|patiente|client|cliente|salarié|salariée|employee|contact|attn|demandeur|requester|assigné à|assigned to|auteur|author|destinataire|signataire|signed|signé)) ?: {{0,8}}(?P<v>{_NAME})(?= ?[\n,;<(|]|$)",
        "A label says that it is a name.",
        0.8,
        0.8,
        cased=True,
    ),
)
