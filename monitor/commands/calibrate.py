"""`supple calibrate sensor`: still poses collected, an ellipsoid fitted, the profile kept."""

from __future__ import annotations

import asyncio
import math
import sys
from collections.abc import Coroutine
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from monitor.cohort.tools import AnalyzeOptions
from monitor.commands.analysis_tools import open_input
from monitor.commands.calibrate_capture import Capture, capture_text, profile_of
from monitor.commands.calibrate_guide import Guide, result_lines
from monitor.commands.live import local_wall
from monitor.commands.opening import SIMULATED_WALL_START_S
from monitor.commands.options import check_make
from monitor.commands.say import say
from monitor.core.errors import CalibrationError, SensorNotFoundError, SettingsError
from monitor.core.inputs import Mark
from monitor.core.protocols import Source
from monitor.motion.chip.ellipsoid import Fit, refusal
from monitor.pipeline import drivers
from monitor.sources.ble.client import Target
from monitor.sources.ble.radio import open_radio
from monitor.sources.ble.source import BleSource
from monitor.sources.simulated import SimulatedSource
from monitor.sources.virtual_time import run_virtual
from monitor.store.paired import PairedSensor, find, load
from monitor.store.places import check_new_file, keep_private, places
from monitor.store.profiles import keep_profile, profile_paths, write_profile, written

DURATION_S = 600.0
"""How long a person gets for it; half of that is usual."""


@dataclass(frozen=True, slots=True)
class CalibrateOptions:
    """As given on the command line; None where it was left out. `speed` is inf for `max`."""

    scenario: str | None = None
    device: str | None = None
    file: Path | None = None
    radio: str | None = None
    simulated_device: str = "spine1"
    seed: int = 0
    speed: float = 1.0
    duration_s: float | None = None
    out: Path | None = None
    json: bool = False
    warm: bool = False

    def check(self) -> None:
        """Raise SettingsError where two options contradict each other."""
        if self.scenario is not None and (self.device or self.radio or self.file):
            raise SettingsError(
                "--sim brings its own sensor.", "Leave out --device, --radio and --from, or --sim.", "sim"
            )
        if self.file is not None and self.radio is not None:
            raise SettingsError("--from reads a file, not a radio.", "Leave one of them out.", "from")
        if self.speed not in (1.0, math.inf):
            raise SettingsError(
                "A sensor is calibrated at --speed 1 or max.", "Max is for --sim alone.", "speed"
            )
        if math.isinf(self.speed) and self.scenario is None and self.file is None:
            raise SettingsError(
                "--speed max needs a simulated sensor in this process.", "Add --sim turned.", "speed"
            )
        check_make(self.simulated_device)
        if self.out is not None:
            check_new_file(self.out)
            check_new_file(self.out.with_suffix(".csv"))


def run_calibrate_sensor(options: CalibrateOptions) -> int:
    """Collect, fit, keep. Raises CalibrationError with the reason where the poses do not do."""
    keep_private()
    options.check()
    capture = _from_file(options) if options.file is not None else _from_sensor(options)
    fit = _fitted(capture)
    wall_s, _ = local_wall()
    raw = capture_text(capture)
    if options.out is None:
        folder = places().config
        _, raw_path = profile_paths(folder, str(capture.serial))
        profile = profile_of(capture, fit, wall_s, raw_path.name)
        where = keep_profile(folder, profile, raw)
    else:
        raw_path, where = options.out.with_suffix(".csv"), options.out
        profile = profile_of(capture, fit, wall_s, raw_path.name)
        write_profile(where, raw_path, profile, raw)
    if options.json:
        sys.stdout.write(" ".join(written(profile).split()) + "\n")
    for line in result_lines(profile, fit, where, in_use=options.out is None):
        say(line)
    return 0


def _fitted(capture: Capture) -> Fit:
    fit = capture.fit()
    refused = refusal(fit, capture.means) if fit is not None else None
    if fit is None or refused is not None:
        sentence, step = refused or (
            "The sensor never lay still for three seconds.",
            "Lay it on a table, on one side after the other, and take your hand off.",
        )
        raise CalibrationError(sentence, step, sentence)
    return fit


def _from_file(options: CalibrateOptions) -> Capture:
    """The poses of a session file or table. Whose they are: what the file says, or the paired sensor that was named."""
    assert options.file is not None
    serial = _serial(find(places().config, options.device)) if options.device else None
    capture: Capture | None = None
    for inputs in open_input(options.file, AnalyzeOptions()):
        if capture is None:
            mark = next(item for item in inputs if isinstance(item, Mark) and item.kind == "sensor")
            capture = Capture(str(mark.value["sensor"]), str(mark.value["driver"]), serial)
        capture.push(inputs)
    if capture is None:
        raise CalibrationError(f"{options.file} holds no data.", "Give a longer recording.", options.file)
    capture.close()
    if capture.serial is None and options.out is None:
        raise SettingsError(
            f"{options.file} does not say which sensor it is from.",
            "Name a paired one with --device, or write the profile to a file with --out.",
            "device",
        )
    return capture


def _from_sensor(options: CalibrateOptions) -> Capture:
    """The poses of a sensor that is turned now, with guidance meanwhile."""
    duration_s = options.duration_s or DURATION_S
    if options.scenario is not None:
        return _run(_simulated(options, duration_s), virtual=math.isinf(options.speed))
    return _run(_by_radio(options, duration_s), virtual=False)


async def _simulated(options: CalibrateOptions, duration_s: float) -> Capture:
    scenario = options.scenario or ""
    source = SimulatedSource(
        Path(scenario) if scenario.endswith(".toml") else scenario,
        options.seed,
        drivers()[options.simulated_device],
        duration_s=duration_s,
        start_wall_s=SIMULATED_WALL_START_S,
        utc_offset_s=0,
    )
    sensor = source.sensors[0]
    source.begin_with([_opening(sensor.key, options.simulated_device)])
    return await _collect(source, Capture(sensor.key, options.simulated_device, sensor.serial, options.warm))


async def _by_radio(options: CalibrateOptions, duration_s: float) -> Capture:
    sensor = _paired(options)
    async with open_radio(options.radio) as radio:
        wall_s, offset_s = local_wall()
        key, driver = sensor.name, drivers()[sensor.driver]
        source = BleSource(
            radio,
            [Target(key, driver, sensor.address or None, sensor.identity)],
            start_wall_s=wall_s,
            utc_offset_s=offset_s,
            opening=[_opening(key, driver.name)],
            duration_s=duration_s,
            say=lambda _sensor, text: say(f"  {text}"),
        )
        capture = await _collect(source, Capture(key, driver.name, _serial(sensor), options.warm))
    if capture.serial is None and options.out is None:
        raise SettingsError(
            "This sensor does not say who it is, so its calibration would be lost.",
            "Pair it first:  supple pair",
            "device",
        )
    return capture


async def _collect(source: Source, capture: Capture) -> Capture:
    with Guide(sys.stderr) as guide:
        try:
            async for inputs in source:
                capture.push(inputs)
                guide.show(capture)
                if capture.enough:
                    break
        finally:
            await source.aclose()
    return capture


def _run(collecting: Coroutine[Any, Any, Capture], virtual: bool) -> Capture:
    try:
        return run_virtual(collecting) if virtual else asyncio.run(collecting)
    except KeyboardInterrupt:
        say("Left before the end: nothing was kept.")
        raise


def _paired(options: CalibrateOptions) -> PairedSensor:
    """The sensor that is meant: a paired one, or with a virtual radio and no name whoever is there."""
    if options.device is not None:
        return find(places().config, options.device)
    if options.radio is not None:
        return PairedSensor("sensor", options.simulated_device, "")
    paired = load(places().config)
    if not paired:
        raise SensorNotFoundError(
            "No sensor is paired yet.",
            "Remember one with `supple pair`, or try it with a simulated one:  supple calibrate sensor --sim turned",
        )
    return max(paired, key=lambda sensor: sensor.last_used_wall_s)


def _serial(sensor: PairedSensor) -> str | None:
    return sensor.identity or sensor.address or None


def _opening(key: str, driver: str) -> Mark:
    value = {"sensor": key, "driver": driver, "role": "single", "placement": "lower_back", "primary": True}
    return Mark(0.0, "sensor", value)
