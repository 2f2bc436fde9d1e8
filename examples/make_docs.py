"""Write what is made from the templates: docs/templates.md, the JSON Schema, an example package.

Run as `python -m examples.make_docs`; tests/agents/test_generated.py fails when one is out of date.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from agents.catalog import sample_path, templates
from agents.package import export_agent
from agents.spec import AgentSpec, json_schema
from agents.tools.registry import TOOLS
from ui.messages import say

ROOT = Path(__file__).resolve().parent.parent
EXAMPLE = "meeting-summariser"
RESULTS = ROOT / "bench" / "agent_results.json"


def main() -> None:
    """Write every generated file."""
    for path, data in generated().items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)


def generated() -> Mapping[Path, bytes]:
    """Every generated file and what belongs in it."""
    schema = json.dumps(json_schema(), indent=2, ensure_ascii=False) + "\n"
    package = export_agent(
        templates()[EXAMPLE], lambda name: sample_path(name).read_bytes(), {"made by": "Atelier"}
    )
    return {
        ROOT / "docs" / "templates.md": _page().encode(),
        ROOT / "docs" / "agent.schema.json": schema.encode(),
        ROOT / "examples" / f"{EXAMPLE}.agent.zip": package,
    }


def _page() -> str:
    head = (
        "# Templates\n\n"
        "Made by `python -m examples.make_docs` from `agents/templates/*.yaml`; "
        "do not edit by hand.\n"
        "All sample documents hold invented companies and people with example.com addresses.\n\n"
        "| Template | Modèle | For | Data class | Tools | Minutes saved |\n"
        "| --- | --- | --- | --- | --- | --- |\n"
    )
    rows = [
        f"| [{spec.title.en}](#{spec.id}) | {spec.title.fr} "
        f"| {say('en', f'category.{spec.category}')} | {spec.data_class} "
        f"| {_tools(spec)} | {spec.saves_minutes:g} |\n"
        for spec in templates().values()
    ]
    return head + "".join(rows) + measured() + "".join(map(_section, templates().values()))


def measured() -> str:
    """What the practice model did with the templates' own cases, as last measured and kept."""
    kept = json.loads(RESULTS.read_text("utf-8")) if RESULTS.is_file() else {}
    choice = kept.pop("tool choice", None)
    rows, passed, count, left = [], 0, 0, 0
    for spec in templates().values():
        mine: dict[str, Any] = kept.get(spec.id, {})
        done = {case.id: mine[case.id] for case in spec.cases if case.id in mine}
        good = sum(one["passed"] for one in done.values())
        passed, count, left = passed + good, count + len(done), left + len(spec.cases) - len(done)
        failed = [name for name, one in done.items() if not one["passed"]]
        never = [case.id for case in spec.cases if case.id not in done]
        older = [name for name, one in done.items() if one["content"] != spec.content_hash()]
        days = sorted({one["day"] for one in done.values()})
        rows.append(
            f"| {spec.id} | {f'{good} of {len(done)}' if done else 'not run'} "
            f"| {', '.join(days) or '-'} | {', '.join(failed) or '-'} "
            f"| {', '.join(never) or '-'} | {', '.join(older) or '-'} |\n"
        )
    models = sorted({one["model"] for mine in kept.values() for one in mine.values()})
    return (
        "\n## Measured\n\n"
        f"Model: {', '.join(models) or 'none yet'}, two busy cores. "
        f"Passed {passed} of the {count} cases that were run ({passed / max(1, count):.0%}; "
        f"80 % is to be reached); {left} cases were not run.\n"
        "A case is asked once through the whole product. The last column knows changes of the "
        "template itself; the prompts that all share may have changed since as well. "
        "Run again with `python -m bench.agents cases --all --keep`.\n\n"
        "| Template | Passed | Run on | Failed | Not run | Run before the last change |\n"
        "| --- | --- | --- | --- | --- | --- |\n" + "".join(rows) + _choice(choice)
    )


def _choice(kept: Mapping[str, Any] | None) -> str:
    if kept is None:
        return "\nTool choice was not measured.\n"
    return (
        f"\nTool choice and arguments (`bench/tool_choice.yaml`, {kept['day']}): "
        f"{kept['passed']} of the {kept['of']} requests that were run, of {kept['asked']} "
        f"(95 % is to be reached). Failed: {' / '.join(kept['failed']) or '-'} {kept['note']}\n"
    )


def _section(spec: AgentSpec) -> str:
    sample = spec.sample
    files = f"`{sample.en}`, `{sample.fr}`" if sample else "none"
    cases = "".join(
        f"| {case.id} | {case.language} | {_cell(case.input)} |\n" for case in spec.cases
    )
    return (
        f"\n## {spec.id}\n\n**{spec.title.en}** / **{spec.title.fr}**\n\n"
        f"{spec.purpose.en}\n\n*{spec.purpose.fr}*\n\n"
        f"- Not for: {spec.not_for.en}\n"
        f"- Pas pour : {spec.not_for.fr}\n"
        f"- Try it with: {files}\n"
        f"- Expected saving: {spec.saves_minutes:g} minutes a use. Measured by: "
        f"{spec.saves.measured.en}\n\n"
        f"| Test case | Language | Asks |\n| --- | --- | --- |\n{cases}"
    )


def _tools(spec: AgentSpec) -> str:
    return ", ".join(say("en", TOOLS[name].label_key) for name in spec.tools) or "none"


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")


if __name__ == "__main__":
    main()
