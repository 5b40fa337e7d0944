"""The examples of docs/integrations.md, section by section."""

import re
from pathlib import Path

PAGE = Path(__file__).parents[2] / "docs" / "integrations.md"
FENCE = re.compile(r"^```python\n(.*?)^```", flags=re.MULTILINE | re.DOTALL)


def run_section(title: str) -> dict[str, object]:
    """Run all Python of a section, in order, in the current folder; return its names."""
    parts = PAGE.read_text(encoding="utf-8").split(f"\n## {title}\n")
    assert len(parts) == 2, f"docs/integrations.md needs one section {title!r}"
    code = FENCE.findall(parts[1].split("\n## ")[0])
    assert code, f"the section {title!r} shows no Python"
    names: dict[str, object] = {"__name__": "__docs__"}
    for block in code:
        exec(compile(block, f"docs/integrations.md ({title})", "exec"), names)
    return names
