"""What really happened: the columns and events every estimate is judged by."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from firmware_sim.noise import FloatArray

STATE_NAMES = ("other", "sitting", "standing", "walking", "lying")
"""Names of the state codes 0..4. `other`: hands and knees, and a sensor that nobody wears."""


@dataclass(frozen=True, slots=True, eq=False)
class Truth:
    """Rows at one placement. Frames, signs and angles are those of `docs/frames.md`.

    `t_s` (n,) s; `quat` (n,4) w x y z, body (of the segment under the sensor) -> earth; `rate` (n,3) rad/s about the body axes;
    `acc` (n,3) m/s2 specific force in body axes at the sensor; the angles (n,) in degrees, `rotation_deg` relative to t = 0;
    `state` (n,) codes of STATE_NAMES. Skin motion is not in it: that is the sensor's error.
    """

    t_s: FloatArray
    quat: FloatArray
    rate: FloatArray
    acc: FloatArray
    inclination_deg: FloatArray
    flexion_deg: FloatArray
    lateral_deg: FloatArray
    rotation_deg: FloatArray
    state: npt.NDArray[np.int8]

    def __len__(self) -> int:
        return len(self.t_s)

    @property
    def state_names(self) -> list[str]:
        """The state of each row in words."""
        return [STATE_NAMES[code] for code in self.state]


@dataclass(frozen=True, slots=True)
class TruthEvent:
    """Something the wearer did.

    `kind`: `transition` (from_state -> to_state; t_s in the middle), `repetition` (of `exercise`; t_s at its peak) or `movement`
    (in `direction`, away from the posture and back; t_s at its peak). `peak_deg`: how far the moving part of the body went as
    planned: the trunk, or the lumbar spine (cat_cow), or the pelvis (supine_twist, pelvic_tilt); NaN for transitions.
    """

    kind: str
    t_s: float
    start_s: float
    end_s: float
    from_state: str = ""
    to_state: str = ""
    exercise: str = ""
    direction: str = ""
    peak_deg: float = float("nan")
