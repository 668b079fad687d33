"""Where is forward? The axis that the mount's search finds, on recordings of walking and on simulated people.

References: hapt_waist, the axis about which the trunk turns in sitting down and rising (labelled; the two of a recording
differ by some 10 deg, so part of the error is the reference's); ipol_gait_L5 and sisfall_waist (slow walks), the face of the
sensor, put on by hand; wheelchair_trunk, the same (backward), for its sign and whether it is found at all in a quarter of a
minute of seated bends; simulation, the true mount. The peer is the principal axis of horizontal acceleration, which has no
sign: its error is that of the axis, and its sign is given as the coin it is.

What a person's forward is, is known to some degrees only: the axes of one person's steps, sway, bends and rising differ by 5 to
8 deg, and no search can agree with all of them. So there are two peoples. Straight people's axes agree: their errors are
what the method adds, from noise, scatter of steps and bends, straps and turns. Crooked people differ as people in recordings
do (mount_people.py): to have forward within 5 deg at p95 there, what does not state so has to be refused.
The search weighs its witnesses by the same spreads: that its stated interval holds in simulation shows the arithmetic, in
recordings the spreads. That nobody wears the sensor beside the middle flatters.

A take's error is one draw, its quality the size of the draws: were each error a normal draw from its stated deviation, the
rank correlation take by take would be what the note says, whoever states it. That is why groups of like quality stand beside.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path

import numpy as np
from figure import Figure, over_people
from mount_people import Take, simulated, simulated_bad
from mount_recordings import DOWNSTAIRS, UPSTAIRS, WALK_S, belt, lower_back, seated, waist
from mount_takes import Found, folded, judged, poses
from scipy.stats import spearmanr

from monitor.core.inputs import FloatArray
from monitor.core.interval import INTERVAL_SD
from monitor.motion.mount.forward import MAX_FORWARD_SD_DEG

PEOPLE, FEW = 1000, 40
LOWER_BACK, ELSEWHERE = ("lower_back",), ("waist", "upper_back", "sternum")
GROUPS = 20
"""One take's error is a draw; what the quality can tell is the size of the draws, seen over groups of like quality."""
WITHIN_DEG = 5.0
SURE_SD_DEG = WITHIN_DEG / 1.96
"""Whoever needs forward within so much at p95 refuses takes stated to be worse."""
Statistic = Callable[[FloatArray], float]


def measure(data: Path | None, *, quick: bool) -> Iterator[Figure]:
    """Signs and errors of 5 s walks of both sets; errors, refusals and what the quality tells over simulated people."""
    if data is not None:
        sets = (("hapt_waist", waist), ("ipol_gait_L5", lower_back), ("sisfall_waist", belt))
        for name, search in sets:
            found = [judged(*piece) for piece in search(data / name)]
            if found:
                must = None if name == "sisfall_waist" else 0.99
                yield from of_walks(f"{name}, {WALK_S:.0f} s walks", found, must)
        stairs = [
            judged(*piece) for label in (UPSTAIRS, DOWNSTAIRS) for piece in waist(data / "hapt_waist", label)
        ]
        if stairs:
            yield next(of_walks("hapt_waist, 5 s on stairs", stairs))
        sitting = [judged(*piece) for piece in seated(data / "wheelchair_trunk")]
        if sitting:
            yield from of_seated("wheelchair_trunk, seated bends", sitting)
    count = FEW if quick else PEOPLE
    straight = [searched(one) for one in simulated(count, (*LOWER_BACK, *ELSEWHERE), crooked=False)]
    yield from of_takes("simulated, straight people", straight, WITHIN_DEG)
    back = [searched(one) for one in simulated(count, LOWER_BACK)]
    yield from of_takes("simulated, crooked, lower back", back)
    yield from of_sure("simulated, crooked, lower back", back)
    elsewhere = [searched(one) for one in simulated(count, ELSEWHERE)]
    yield from of_takes("simulated, crooked, waist and thorax", elsewhere)
    bad = [searched(one) for one in simulated_bad(count // 4, (*LOWER_BACK, *ELSEWHERE))]
    yield from of_bad("simulated, bad takes", bad)
    yield from of_quality("simulated, crooked and bad", [*back, *elsewhere, *bad])


def searched(one: Take) -> Found:
    """With its deviation however large that is: who is refused for it has a quality, too."""
    blocks = poses(one.t_s, one.acc, one.gyr, one.placement)
    return judged(one.kind, blocks, one.placement, one.forward, most_sd_deg=np.inf)


def of_walks(name: str, found: Sequence[Found], must_of_all: float | None = 0.99) -> Iterator[Figure]:
    answered = [one for one in found if np.isfinite(one.error_deg)]
    people = sorted({one.person for one in answered})
    each = [np.array([o.error_deg for o in answered if o.person == person]) for person in people]
    inside = [
        np.array([abs(folded(o.error_deg)) <= INTERVAL_SD * o.sd_deg for o in answered if o.person == person])
        for person in people
    ]
    plain = np.array([abs(one.axis_error_deg) for one in answered])

    def interval(statistic: Statistic, of: Sequence[FloatArray] = each) -> tuple[float, float, float]:
        """The statistic of all walks, and its interval over people drawn again."""
        everybody = np.arange(len(of), dtype=float)
        drawn = over_people(
            everybody.tolist(), lambda chosen: statistic(np.concatenate([of[int(i)] for i in chosen]))
        )
        return statistic(np.concatenate(of)), *drawn

    count = len(people)
    note = f"{len(answered)} of {len(found)} walks answered"
    value, low, high = interval(right)
    coin = {"plain axis": 0.5}
    yield Figure("sign of forward", name, count, value, "1", "more", 0.99, None, low, high, coin, note)
    all_right = value * len(answered) / len(found)
    note = "a walk refused counts as wrong"
    yield Figure("sign of forward, of all walks", name, count, all_right, "1", "more", must_of_all, note=note)
    for what, at in (("median", 0.5), ("p95", 0.95)):
        value, low, high = interval(partial(off_axis, at=at))
        peer = {"plain axis": float(np.quantile(plain, at))}
        yield Figure(
            f"error of forward, {what}", name, count, value, "deg", "less", None, None, low, high, peer
        )
    value, low, high = interval(lambda held: float(np.mean(held)), inside)
    note = "at most 0.95; the reference's own error counts against it"
    what = "stated 90 % interval of forward holds"
    yield Figure(what, name, count, value, "1", "more", 0.85, None, low, high, note=note)


def of_seated(name: str, found: Sequence[Found]) -> Iterator[Figure]:
    """The sensor's face is backward but for its seat on the back: the sign is checked, not the axis."""
    answered = np.array([one.error_deg for one in found if np.isfinite(one.error_deg)])
    people = len({one.person for one in found})
    note = f"{len(answered)} of {len(found)} sensors in trials answered"
    yield Figure("sign of forward", name, people, right(answered), "1", "more", 0.99, note=note)
    yield Figure("forward is found", name, people, len(answered) / len(found), "1", "more")


def off_axis(errors: FloatArray, at: float) -> float:
    return float(np.quantile(np.abs(folded(errors)), at))


def right(errors: FloatArray) -> float:
    return float(np.mean(np.abs(errors) < 90.0))


def known_to(found: Sequence[Found], most_sd_deg: float) -> list[Found]:
    return [one for one in found if np.isfinite(one.error_deg) and one.sd_deg <= most_sd_deg]


def of_takes(name: str, found: Sequence[Found], must_deg: float | None = None) -> Iterator[Figure]:
    accepted = known_to(found, MAX_FORWARD_SD_DEG)
    errors = np.abs([one.error_deg for one in accepted])
    plain = np.abs([one.axis_error_deg for one in accepted])
    count = len(found)
    yield Figure(
        "sign of forward", name, count, float(np.mean(errors < 90.0)), "1", "more", 0.99, note=refusals(found)
    )
    for what, at, must in (("median", 0.5, None), ("p95", 0.95, must_deg)):
        value, peer = float(np.quantile(errors, at)), {"plain axis": float(np.quantile(plain, at))}
        kinds = sorted({one.person for one in accepted})
        each = [np.quantile([abs(o.error_deg) for o in accepted if o.person == kind], at) for kind in kinds]
        note = "; ".join(f"{kind} {deg:.1f}" for kind, deg in zip(kinds, each, strict=True))
        yield Figure(
            f"error of forward, {what}", name, count, value, "deg", "less", must, None, peers=peer, note=note
        )


def refusals(found: Sequence[Found]) -> str:
    """How many, and why."""
    reasons = Counter(
        one.refusal.partition(":")[0] or "not sure enough"
        for one in found
        if not (np.isfinite(one.error_deg) and one.sd_deg <= MAX_FORWARD_SD_DEG)
    )
    why = ", ".join(f"{reason} {times}" for reason, times in reasons.most_common())
    return f"{reasons.total()} of {len(found)} takes refused: {why}"


def of_sure(name: str, found: Sequence[Found]) -> Iterator[Figure]:
    """Where forward within 5 deg is asked for: what is refused for it, and what that buys."""
    sure, accepted = known_to(found, SURE_SD_DEG), known_to(found, MAX_FORWARD_SD_DEG)
    value = float(np.quantile(np.abs([one.error_deg for one in sure]), 0.95))
    note = f"{len(sure)} of the {len(accepted)} takes answered state so much at 95 %"
    what = f"error of forward, p95, where stated to {WITHIN_DEG:.0f} deg"
    yield Figure(what, name, len(found), value, "deg", "less", WITHIN_DEG, note=note)


def of_bad(name: str, found: Sequence[Found]) -> Iterator[Figure]:
    """Too little, or bends anywhere and steps that limp and scatter: refused, or answered without turning the sign."""
    answered = known_to(found, MAX_FORWARD_SD_DEG)
    errors = np.array([one.error_deg for one in answered])
    sign, p95 = right(errors), float(np.quantile(np.abs(errors), 0.95))
    yield Figure("sign of forward", name, len(found), sign, "1", "more", 0.99, note=refusals(found))
    yield Figure("error of forward, p95", name, len(found), p95, "deg", "less")


def of_quality(name: str, found: Sequence[Found]) -> Iterator[Figure]:
    """What the quality and the stated deviation say of the error, the takes refused for it among them."""
    told, accepted = known_to(found, np.inf), known_to(found, MAX_FORWARD_SD_DEG)
    error, sd_deg, bad = np.array([(abs(o.error_deg), o.sd_deg, -o.quality) for o in told]).T
    groups = np.array_split(np.argsort(bad, kind="stable"), min(GROUPS, max(3, len(bad) // 8)))
    sizes = [(np.mean(bad[g]), np.sqrt(np.mean(error[g] ** 2))) for g in groups]
    grouped = float(spearmanr(*np.array(sizes).T).statistic)
    what = "quality against error, rank correlation"
    note = f"against the RMS error of {len(groups)} groups of like quality"
    yield Figure(f"{what}, groups", name, len(error), grouped, "1", "more", 0.8, note=note)
    single = float(spearmanr(bad, error).statistic)
    drawn = np.abs(np.random.default_rng(0).normal(0.0, sd_deg))
    chance = (
        f"{float(spearmanr(sd_deg, drawn).statistic):.2f} were each error a draw from its stated deviation"
    )
    yield Figure(f"{what}, take by take", name, len(error), single, "1", "more", note=chance)
    held = np.mean([abs(one.error_deg) <= INTERVAL_SD * one.sd_deg for one in accepted])
    what = "stated 90 % interval of forward holds"
    yield Figure(what, name, len(accepted), float(held), "1", "more", 0.85, 0.9, note="at most 0.95")
