"""Write what is made from the templates: docs/templates.md, the JSON Schema, an example package.

Run as `python -m examples.make_docs`; tests/agents/test_generated.py fails when one is out of date.
"""

import json
from collections.abc import Mapping
from pathlib import Path

from agents.catalog import sample_path, templates
from agents.package import export_agent
from agents.spec import AgentSpec, json_schema
from agents.tools.registry import TOOLS
from ui.messages import say

ROOT = Path(__file__).resolve().parent.parent
EXAMPLE = "meeting-summariser"


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
    return head + "".join(rows) + "".join(map(_section, templates().values()))


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
