"""`supple` alone, on a terminal: a few choices, the likeliest first."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from rich.console import Console
from rich.prompt import Prompt

from monitor.commands.options import LiveOptions
from monitor.store.paired import load, worn_together
from monitor.store.places import places

_Choice = tuple[str, Callable[[], int]]


def welcome() -> int:
    """Ask what the person has, and go there. Returns the exit code of what was chosen."""
    console = Console()
    choices = _choices()
    console.print("\n[bold]supple[/bold]  posture and spinal mobility, gently\n")
    for number, (text, _go) in enumerate(choices, start=1):
        console.print(f"  {number}  {text}", markup=False, highlight=False)
    console.print()
    numbers = [str(number) for number in range(1, len(choices) + 1)]
    try:
        answer = Prompt.ask("Your choice", choices=[*numbers, "q"], default="1", console=console)
    except EOFError:
        return 0
    return 0 if answer == "q" else choices[int(answer) - 1][1]()


def _choices() -> list[_Choice]:
    paired = sorted(load(places().config), key=lambda sensor: sensor.last_used_wall_s, reverse=True)
    pair = worn_together(places().config)
    names = [sensor.name for sensor in pair or paired[:1]]
    last = [(f"Go on with {' and '.join(names)}", _live(LiveOptions(devices=tuple(names))))] if names else []
    return [
        *last,
        ("I have a sensor" if not paired else "Pair another sensor", _pair),
        ("Try a simulated one", _live(LiveOptions(scenario="desk"))),
        ("Analyse recordings", _analyse),
    ]


def _live(options: LiveOptions) -> Callable[[], int]:
    def go() -> int:
        from monitor.commands.live import run_live

        return run_live(options)

    return go


def _pair() -> int:
    from monitor.commands.sensors import run_pair, run_scan

    run_scan(5.0, None, False)
    address = Prompt.ask("Its address (empty to leave)", default="")
    if not address:
        return 0
    name = Prompt.ask("What do you call it", default="my-sensor")
    placement = Prompt.ask(
        "Where is it worn", choices=["lower_back", "upper_back", "sternum", "waist"], default="lower_back"
    )
    run_pair(address, name, placement, 8.0, None)
    return _live(LiveOptions(devices=(name,)))()


def _analyse() -> int:
    from monitor.commands.analysis import AnalyzeOptions, run_analyze

    path = Path(Prompt.ask("A session file, CSV or Parquet file")).expanduser()
    out = Path(Prompt.ask("Folder for the results", default="results")).expanduser()
    return run_analyze([path], out, AnalyzeOptions(), False)
