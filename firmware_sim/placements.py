"""Where a sensor sits: which share of the spine's motion its segment has, and where it is on that segment."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from firmware_sim.motions import CHUNK_KNOTS, Track
from firmware_sim.noise import FloatArray
from firmware_sim.scenario import WearerPlan

SKIN_LAG_KNOTS = 4
"""The skin follows 0.1 s late [I]."""
Vector = tuple[float, float, float]


@dataclass(frozen=True, slots=True)
class Placement:
    """`lumbar_share` of the lumbar angles is added to the pelvis's; `breath` scales the pitch of a breath, + forward.

    `on_pelvis` and `on_thorax`: the way from the hip centre to the sensor in body axes, as offsets in m plus multiples of the
    wearer's segment length along z: (x, y, multiple). A sensor on the pelvic segment has no way on the thorax.
    """

    lumbar_share: float
    breath: float
    on_pelvis: Vector
    on_thorax: Vector | None

    def lever_m(self, wearer: WearerPlan) -> tuple[Vector, Vector | None]:
        """Both ways in metres for this wearer."""
        x, y, z = self.on_pelvis
        pelvis = (x, y, z * wearer.pelvis_m)
        if self.on_thorax is None:
            return pelvis, None
        x, y, z = self.on_thorax
        return pelvis, (x, y, z * wearer.thorax_m)

    def misplaced(self, share: float) -> Placement:
        """The same placement, stuck on higher (+) or lower by a share of the lumbar angles; segments stay what they are."""
        if not 0.0 < self.lumbar_share < 1.0:
            return self
        return replace(self, lumbar_share=max(0.0, self.lumbar_share + share))


PLACEMENT_GEOMETRY = {
    "lower_back": Placement(0.10, 0.1, (-0.09, 0.0, 1.0), None),
    "waist": Placement(0.05, 0.1, (0.08, 0.10, 1.0), None),
    "upper_back": Placement(1.0, 1.0, (-0.04, 0.0, 1.0), (-0.06, 0.0, 1.0)),
    "sternum": Placement(1.0, -1.3, (-0.04, 0.0, 1.0), (0.13, 0.0, 1.0)),
    "pelvis": Placement(0.0, 0.0, (0.0, 0.0, 1.0), None),
    "thorax": Placement(1.0, 1.0, (0.0, 0.0, 1.0), (0.0, 0.0, 1.0)),
}
"""L5-S1; belt, front left; about T6; breastbone (which a breath tilts back); and the two segments themselves.
Shares and offsets are our choice [I]."""


def oriented_tracks(raw: FloatArray, placement: Placement, skin_share: float) -> FloatArray:
    """Swing-twist knots of a placement (3 rows: rotation, lateral, flexion, rad) for one chunk and its neighbours' edges.

    `raw` (len(Track), SKIN_LAG_KNOTS + CHUNK_KNOTS + 3): the chunk with the knots just before and after it. Rotation, lateral
    and flexion are the angles of `docs/frames.md`: orientation = Rz(rotation) exp(lateral x + flexion y).
    """
    now = raw[:, SKIN_LAG_KNOTS:]
    lagged = raw[:, : CHUNK_KNOTS + 3]
    share = placement.lumbar_share
    roll = now[Track.PELVIS_AXIAL] + share * now[Track.LUMBAR_AXIAL]
    lat = now[Track.PELVIS_LAT] + share * now[Track.LUMBAR_LAT]
    flex = now[Track.PELVIS_FLEX] + share * now[Track.LUMBAR_FLEX]
    cos, sin = np.cos(roll), np.sin(roll)
    return np.stack(
        (
            now[Track.HEADING] + roll + now[Track.SWAY_AXIAL] + skin_share * lagged[Track.LUMBAR_AXIAL],
            cos * lat
            + sin * flex
            + now[Track.SWAY_LAT]
            + share * now[Track.THORAX_LAT]
            + skin_share * lagged[Track.LUMBAR_LAT],
            cos * flex
            - sin * lat
            + now[Track.SWAY_FLEX]
            + share * now[Track.THORAX_FLEX]
            + placement.breath * now[Track.BREATH]
            + skin_share * lagged[Track.LUMBAR_FLEX],
        )
    )
