"""``segue policy``: check a policy, show an example, show the JSON schema."""

from __future__ import annotations

from typing import Annotated, Any

import typer

app = typer.Typer(help="Check a policy, show an example, show the JSON schema.", no_args_is_help=True)

EXAMPLE = """\
# What an update may break. Each limit is held against the whole confidence interval: within it passes, beyond it
# fails, across it is undecided. Keys that are left out do not limit.

max_nfr = 0.01                  # of the answers, at most 1% may turn from right to wrong
min_accuracy_change = -0.002    # and the accuracy may fall by 0.2 points at most
max_relative_nfr = { limit = 0.5, on = "point" }   # this one is held against the point estimate
minimum_samples = 1000          # with fewer samples nothing passes

[every_slice]                   # every value of every slice column
max_nfr = 0.05
minimum_samples = 100
ignore_smaller = true           # slices below 100 samples are listed but not judged

[[slices]]                      # every country
column = "country"
max_nfr = 0.03

[[slices]]                      # one country
column = "country"
value = "DE"
max_nfr = 0.02

[golden]                        # protected samples, which may never flip from right to wrong
ids = ["order-17", "order-23"]
# file = "golden.txt"           # more of them, one id per line
"""


@app.command("example", epilog="[bold]Example[/bold]\n\nsegue policy example > policy.toml")
def example() -> None:
    """Print a policy to start from."""
    print(EXAMPLE, end="")


@app.command("schema", epilog="[bold]Example[/bold]\n\nsegue policy schema > policy.schema.json")
def schema() -> None:
    """Print the JSON schema of policies, for editors and validators."""
    print(schema_text(), end="")


@app.command("check", epilog="[bold]Example[/bold]\n\nsegue policy check policy.toml")
def check(
    path: Annotated[str, typer.Argument(help="The policy, a TOML file.", metavar="POLICY")],
    json: Annotated[
        str | None, typer.Option(help="Write the policy as JSON to a file, or - for standard output.", metavar="PATH")
    ] = None,
) -> None:
    """Check a policy and say what it holds, without any data."""
    from segue.cli.console import check_outputs, out, write
    from segue.cli.outputs.machine import to_json
    from segue.flips.gate.policy import Policy

    check_outputs({"--json": json}, [path])
    policy = Policy.read(path)
    protected = policy.protected_ids()
    if json is not None:
        write(to_json(policy.model_dump(mode="json", exclude_none=True)), json, "--json")
    if json == "-":
        return
    console = out()
    console.print(f"{path} is a policy:")
    console.print("\n".join(f"  {line}" for line in policy.told()))
    if protected:
        console.print(f"  {len(protected):,} protected samples may never flip from right to wrong")


def schema_text() -> str:
    """Return the JSON schema of policies as it stands in the documentation."""
    from segue.cli.outputs.machine import to_json
    from segue.flips.gate.policy import Policy

    schema = _plain(Policy.model_json_schema())
    schema["title"] = "Policy of a Segue gate"
    schema["description"] = "What an update may break. Limits that are left out do not hold."
    return to_json({"$schema": "https://json-schema.org/draft/2020-12/schema", **schema})


def _plain(schema: Any) -> Any:
    # TOML knows no null, and names that only repeat the keys help nobody.
    if isinstance(schema, list):
        return [_plain(part) for part in schema]
    if not isinstance(schema, dict):
        return schema
    kept = {
        key: {name: _plain(part) for name, part in value.items()} if key in {"properties", "$defs"} else _plain(value)
        for key, value in schema.items()
        if key != "title" and not (key == "default" and value is None)
    }
    choices = [part for part in kept.pop("anyOf", []) if part != {"type": "null"}]
    return {**kept, **choices[0]} if len(choices) == 1 else {**kept, "anyOf": choices} if choices else kept
