"""What a reader should doubt in a finished answer. Flags for people; never rewrites a word."""

from guardrails.detect import bias, claims, grounding
from guardrails.detect.injection import leaked
from sandbox.broker.run import OpenStep, Run


def check_answer(text: str, run: Run, step: OpenStep, embedder: grounding.Embed) -> None:
    """Tell the person about claims no tool backs, sentences not in the documents, demeaning
    wording and leaked instructions. `text` is masked. CPU work: call it in a thread."""
    if claims.unbacked(text, run.called):
        step.verdict, step.rule = "flagged", "output.claimed-action"
        run.notice("flagged", "notice.claimed-action")
    if bias.flags(text):
        step.verdict, step.rule = "flagged", "output.biased-language"
        run.notice("flagged", "notice.biased-language")
    if run.canary and leaked(text, run.canary):
        step.verdict, step.rule = "flagged", "output.instructions-leaked"
        run.notice("flagged", "notice.instructions-leaked")
    found = grounding.check(text, [source.text for source in run.sources], embedder)
    loose = sum(not statement.supported for statement in found)
    if loose:
        # an embedding's opinion: shown to the reader, too weak to flag the turn for security
        run.notice("info", "notice.not-found-in-documents", n=loose)
