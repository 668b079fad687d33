"""What a sensor's calibration is made of: poses found in its rows, the fit over them, the profile that comes out."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from monitor.core.blocks import ImuBlock
from monitor.core.events import DeviceStatus, Gap, Record
from monitor.core.inputs import FloatArray, Input, Mark
from monitor.motion.chip.ellipsoid import (
    WELL_KNOWN_POSES,
    WELL_KNOWN_SHARE,
    Fit,
    fit_ellipsoid,
    missing_sides,
    refusal,
)
from monitor.motion.chip.rest_poses import TEMPERATURE_SPAN_K, Rest, RestPose, RestPoses, gyroscope_at_rest
from monitor.pipeline import MeasuredRows
from monitor.store.profiles import Pose, Profile, Vector
from monitor.version import VERSION

WARM_MARGIN_K = 1.0
UNKNOWN = "unknown"
COUNTED = ("witmotion",)
"""Makes without a clock: their rows are counted, and timed by when they arrive, by up to 5 % off in the first seconds."""
LEFT_LYING_S = 20.0
"""Left lying for so long once it would do, the sensor says that its owner has had enough."""


class Capture:
    """Fold the inputs of one sensor with `push`. `serial` is its id: given, else what it says of itself (a mark `identity`)."""

    def __init__(self, sensor: str, driver: str, serial: str | None = None, warm: bool = False) -> None:
        """`warm`: it takes a change of temperature too."""
        self.sensor, self.driver, self.serial = sensor, driver, serial
        self._warm = warm
        self._rows = MeasuredRows(sensor)
        self._rest = RestPoses(own_clock=driver not in COUNTED)
        self._blocks: list[ImuBlock] = []
        self._fitted: tuple[int, Fit | None] = (0, None)

    @property
    def poses(self) -> list[RestPose]:
        """Those found so far, each unlike the others."""
        return self._rest.found

    @property
    def means(self) -> FloatArray:
        """The mean reading in each pose (n,3), m/s2."""
        return np.array([pose.acc for pose in self.poses]).reshape(-1, 3)

    @property
    def blocks(self) -> list[ImuBlock]:
        """All rows so far."""
        return self._blocks

    @property
    def rests(self) -> list[Rest]:
        """The gyroscope whenever it lay still."""
        return self._rest.rests

    @property
    def warmed_k(self) -> float:
        """How far its temperature ranged while it lay still; 0 where it does not tell."""
        told = [rest.temperature_c for rest in self.rests if rest.temperature_c is not None]
        return max(told) - min(told) if told else 0.0

    @property
    def still_s(self) -> float:
        """How long it has been lying as it lies now."""
        return self._rest.still_s

    @property
    def missing(self) -> list[str]:
        """Sides that were not shown yet."""
        return missing_sides([pose.acc for pose in self.poses])

    @property
    def good(self) -> bool:
        """All sides were shown and the fit is as good as is asked for."""
        fit = self.fit()
        if fit is None or len(self.poses) < WELL_KNOWN_POSES:
            return False
        return self.usable and fit.worst_share <= WELL_KNOWN_SHARE

    @property
    def usable(self) -> bool:
        """All sides were shown and the fit would not be refused."""
        fit = self.fit()
        return fit is not None and not self.missing and refusal(fit, self.means) is None

    @property
    def enough(self) -> bool:
        """Nothing more need be done."""
        if self._warm and self.warmed_k < TEMPERATURE_SPAN_K + WARM_MARGIN_K:
            return False
        return self.good or (self.usable and self.still_s >= LEFT_LYING_S)

    def fit(self) -> Fit | None:
        """Over the poses so far and the turns up to the last of them; None without any."""
        count, fit = self._fitted
        if count != len(self.poses):
            fit = fit_ellipsoid(self.means, self._rest.turns)
            self._fitted = len(self.poses), fit
        return fit

    def push(self, inputs: Sequence[Input]) -> None:
        for item in inputs:
            if isinstance(item, Mark) and item.kind == "identity" and item.value["sensor"] == self.sensor:
                self.serial = self.serial or str(item.value["id"])
        self._take(self._rows.push(inputs))

    def close(self) -> None:
        self._take(self._rows.close())
        self._rest.interrupt()

    def _take(self, records: Sequence[Record]) -> None:
        for record in records:
            match record:
                case ImuBlock():
                    self._blocks.append(record)
                    self._rest.push(record)
                case Gap():
                    self._rest.interrupt()
                case DeviceStatus() if record.temperature_c is not None:
                    self._rest.temperature_c = record.temperature_c
                case _:
                    pass


def profile_of(capture: Capture, fit: Fit, made_wall_s: float, raw_name: str) -> Profile:
    """The profile of what was captured; `raw_name` is the file its raw rows go to."""
    bias, slope, warmth = gyroscope_at_rest(capture.rests)
    first, second, third = (_vector(row) for row in fit.matrix)
    return Profile(
        serial=capture.serial or UNKNOWN,
        driver=capture.driver,
        made_wall_s=made_wall_s,
        program_version=VERSION,
        acc_matrix=(first, second, third),
        acc_bias_m_s2=_vector(fit.bias_m_s2),
        gyr_bias_rad_s=_vector(bias),
        gyr_bias_rad_s_per_k=None if slope is None else _vector(slope),
        temperature_c=warmth,
        residual_m_s2=fit.residual_m_s2,
        before_m_s2=fit.before_m_s2,
        worst_share=fit.worst_share,
        capture=raw_name,
        poses=tuple(_pose(pose) for pose in capture.poses),
        rests=tuple((rest.temperature_c, _vector(rest.gyr)) for rest in capture.rests),
    )


def capture_text(capture: Capture) -> str:
    """The raw rows up to the last pose's end, as a table that `supple calibrate sensor --from` reads again."""
    end_s = capture.poses[-1].end_s
    with_rate = all(block.gyr is not None for block in capture.blocks)
    names = ["t_s", "acc_x_m_s2", "acc_y_m_s2", "acc_z_m_s2"]
    names += ["gyr_x_rad_s", "gyr_y_rad_s", "gyr_z_rad_s"] if with_rate else []
    lines = [",".join(names)]
    for block in capture.blocks:
        kept = block.ok & (block.t_s <= end_s)
        columns = [block.t_s[kept, None], block.acc[kept]]
        if with_rate and block.gyr is not None:
            columns.append(block.gyr[kept])
        lines += [_line(row) for row in np.hstack(columns).tolist()]
    return "\n".join(lines) + "\n"


def _line(row: Sequence[float]) -> str:
    cells = [f"{row[0]:.3f}", *(f"{value:.4f}" for value in row[1:4])]
    return ",".join([*cells, *(f"{value:.6f}" for value in row[4:])])


def _pose(pose: RestPose) -> Pose:
    return Pose(
        pose.start_s,
        pose.end_s,
        _vector(pose.acc),
        None if pose.gyr is None else _vector(pose.gyr),
        pose.temperature_c,
    )


def _vector(values: FloatArray) -> Vector:
    x, y, z = (float(value) for value in values)
    return x, y, z
