"""Options that several commands have."""

from __future__ import annotations

from typing import Annotated

import typer

LiveSpeed = Annotated[
    str,
    typer.Option(
        metavar="1|max",
        help="Real time, or as fast as it goes (--sim only, no window; live needs a --duration).",
    ),
]
ReplaySpeed = Annotated[
    str, typer.Option(metavar="X", help="Times real time: 1, 10, ... or max, as fast as it goes.")
]
Json = Annotated[bool, typer.Option("--json", help="One JSON object a line on standard output.")]
Radio = Annotated[
    str | None,
    typer.Option(
        metavar="WHERE",
        help="A virtual radio, e.g. tcp-client:127.0.0.1:9600. Left out: this machine's Bluetooth.",
    ),
]
Duration = Annotated[
    float | None, typer.Option(min=0.1, metavar="SECONDS", help="Stop after this long.", show_default=False)
]
Seed = Annotated[
    int, typer.Option(metavar="N", help="The same seed gives the same simulated day, to the byte.")
]
Listen = Annotated[float, typer.Option(min=0.5, max=120, metavar="SECONDS", help="How long to look.")]
Placement = Annotated[str, typer.Option(metavar="PLACE", help="lower_back, upper_back, sternum or waist.")]
Make = Annotated[
    str, typer.Option(metavar="MAKE", help="The make of the simulated sensor: spine1 or witmotion.")
]
