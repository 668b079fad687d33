"""What the window shows at a moment: every word and flag, ready to print. A pure reading of the model."""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import StrEnum

from monitor.core.events import Posture
from monitor.core.interval import interval_deg
from monitor.window.model import CALIBRATE_S, Mode, WindowModel
from monitor.window.texts import duration, text

UPRIGHT_WITHIN_DEG = 3.0
"""Below this no direction is named: about the error of inclination in movement (facts: at most 3 deg RMSE)."""

MESSAGES_SHOWN = 4


class Step(StrEnum):
    """How far the setup has come: the step that is next."""

    CONNECT = "connect"
    CALIBRATE = "calibrate"
    DONE = "done"


@dataclass(frozen=True, slots=True)
class Reading:
    """One angle in words; `ways` says what up and down mean in its plot. `known` False: `value` is a dash."""

    title: str
    ways: str
    value: str
    direction: str
    note: str
    known: bool


@dataclass(frozen=True, slots=True)
class View:
    """Everything printed in the window at one moment. Two equal views need no redrawing of text.

    `lumbar`: the angles between two sensors in the order of `readings`; empty with one sensor, which cannot know them.
    """

    banner: str
    banner_note: str
    link: str
    link_up: bool
    battery: str
    coverage: str
    fresh: bool
    state: str
    state_note: str
    bout: str
    sitting: str
    place: str
    readings: tuple[Reading, Reading, Reading]
    by_inclination: bool
    lumbar: tuple[Reading, ...]
    empty: str
    empty_next: str
    calibrating: bool
    step: Step
    escalation: str
    prompt: str
    prompt_note: str
    messages: tuple[tuple[str, str], ...]
    may_mark: bool
    may_calibrate: bool
    snoozed: bool


def look(model: WindowModel, now_s: float) -> View:
    """Read the model at `now_s` (the clock given to its `push`)."""
    snapshot = model.snapshot
    fresh = model.fresh(now_s)
    banner = "ended" if model.ended else model.mode.value
    empty, empty_next = _empty(model, now_s)
    prompt, prompt_note = _prompt(model, fresh)
    acting = model.mode is not Mode.REPLAY and not model.ended
    calibrating = math.isfinite(snapshot.calibrate_left_s)
    return View(
        banner=text(f"banner.{banner}"),
        banner_note=text(f"banner.{banner}.note"),
        link=_link(model),
        link_up=snapshot.connected and not snapshot.away and not model.ended,
        battery=_percent("battery", snapshot.battery_percent),
        coverage=_percent("coverage", 100.0 * snapshot.coverage),
        fresh=fresh,
        state=text(f"state.{snapshot.shown_state.value if fresh else Posture.UNKNOWN.value}"),
        state_note=_state_note(model, fresh),
        bout=duration(snapshot.sitting_bout_s) if fresh and snapshot.sitting_bout_s else text("none"),
        sitting=duration(snapshot.sitting_s) if snapshot.sitting_s else text("none"),
        place=_place(snapshot.placement),
        readings=_readings(model, fresh),
        by_inclination=_by_inclination(model),
        lumbar=_lumbar(model, now_s) if snapshot.two else (),
        empty=empty,
        empty_next=empty_next,
        calibrating=calibrating,
        step=_step(model),
        escalation=text(f"screening.{level}") if (level := snapshot.screening_level or 0) in (2, 3) else "",
        prompt=prompt,
        prompt_note=prompt_note,
        messages=tuple(
            (model.clock_label(m.t_s), m.text) for m in reversed(model.messages[-MESSAGES_SHOWN:])
        ),
        may_mark=acting,
        may_calibrate=acting and snapshot.connected and not calibrating and model.may_bend,
        snoozed=snapshot.snooze_left_s > 0,
    )


def _link(model: WindowModel) -> str:
    away = model.snapshot.away
    if model.mode is Mode.REPLAY:
        return text("link.up.replay" if model.snapshot.connected and not away else "link.down.replay")
    if model.snapshot.connected and not model.ended:
        return text("link.one_down", place=_where(away[0])) if away else text("link.up")
    searching = not model.snapshot.ever_connected and not model.ended and not model.has_rows()
    return text("link.searching" if searching else "link.down")


def _percent(what: str, percent: float | None) -> str:
    if percent is None or not math.isfinite(percent):
        return text(f"{what}.unknown")
    # Rounded down: 100 % must mean all of it.
    return text(f"{what}.known", percent=math.floor(percent + 1e-9))


def _state_note(model: WindowModel, fresh: bool) -> str:
    if not fresh:
        return text("state.stale.why")
    if model.snapshot.shown_state is Posture.UNKNOWN:
        return text("state.unknown.why")
    return text("state.for", time=duration(model.snapshot.state_s))


def _place(placement: str) -> str:
    return text("placement.at", place=_where(placement))


def _where(placement: str) -> str:
    key = placement if placement in ("lower_back", "upper_back", "sternum", "waist") else "lower_back"
    return text(f"placement.{key}")


def _by_inclination(model: WindowModel) -> bool:
    snapshot = model.snapshot
    return math.isnan(snapshot.flexion_deg) and math.isfinite(snapshot.inclination_deg)


def _readings(model: WindowModel, fresh: bool) -> tuple[Reading, Reading, Reading]:
    now = model.snapshot
    no_forward = text("reading.no_forward")
    still = f"{_interval(now.rotation_sd_deg)} {text('reading.turn.note')}".strip()
    if _by_inclination(model):
        first = _reading(
            "inclination", now.inclination_deg, ("", "", ""), _interval(now.inclination_sd_deg), "", fresh
        )
    else:
        ways = ("reading.forward", "reading.backward", "reading.middle")
        first = _reading("flexion", now.flexion_deg, ways, _interval(now.flexion_sd_deg), no_forward, fresh)
    ways = ("reading.right", "reading.left", "reading.middle")
    second = _reading("lateral", now.lateral_deg, ways, _interval(now.lateral_sd_deg), no_forward, fresh)
    ways = ("reading.left", "reading.right", "reading.facing")
    third = _reading("rotation", now.rotation_deg, ways, still, text("reading.no_rotation"), fresh)
    return first, second, third


def _interval(sd_deg: float) -> str:
    degrees = interval_deg(sd_deg)
    return "" if degrees is None else text("reading.uncertainty", degrees=degrees)


def _lumbar(model: WindowModel, now_s: float) -> tuple[Reading, ...]:
    """The upper sensor against the lower, in the order of the trunk's own readings."""
    now, fresh = model.snapshot, model.lumbar_fresh(now_s)
    missing = text("lumbar.no_link" if now.away or not fresh else "reading.no_forward")
    angles = (
        (now.lumbar_flexion_deg, now.lumbar_flexion_sd_deg, ("reading.forward", "reading.backward", "")),
        (now.lumbar_lateral_deg, now.lumbar_lateral_sd_deg, ("reading.right", "reading.left", "")),
        (now.lumbar_rotation_deg, now.lumbar_rotation_sd_deg, ("reading.left", "reading.right", "")),
    )
    return tuple(_between(angle, sd, ways, missing, fresh) for angle, sd, ways in angles)


def _between(
    angle_deg: float, sd_deg: float, ways: tuple[str, str, str], missing: str, fresh: bool
) -> Reading:
    title = text("lumbar.title")
    if not fresh or not math.isfinite(angle_deg):
        return Reading(title, "", text("none"), "", missing, False)
    value = text("reading.value", degrees=round(abs(angle_deg)))
    return Reading(title, "", value, _way(angle_deg, ways), _interval(sd_deg), True)


def _way(angle_deg: float, ways: tuple[str, str, str]) -> str:
    positive, negative, middle = ways
    way = middle if abs(angle_deg) < UPRIGHT_WITHIN_DEG else positive if angle_deg > 0 else negative
    return text(way) if way else ""


def _reading(
    name: str, angle_deg: float, ways: tuple[str, str, str], note: str, missing: str, fresh: bool
) -> Reading:
    title, signs = text(f"reading.{name}"), text(f"reading.{name}.ways")
    if not fresh:
        return Reading(title, signs, text("none"), "", text("state.stale.why"), False)
    if not math.isfinite(angle_deg):
        return Reading(title, signs, text("none"), "", missing, False)
    value = text("reading.value", degrees=round(abs(angle_deg)))
    return Reading(title, signs, value, _way(angle_deg, ways), note, True)


def _step(model: WindowModel) -> Step:
    if not model.snapshot.ever_connected and not model.has_rows():
        return Step.CONNECT
    return Step.DONE if model.snapshot.mounted else Step.CALIBRATE


def _empty(model: WindowModel, now_s: float) -> tuple[str, str]:
    """What is missing and the next step; two empty strings where nothing is."""
    now, mode = model.snapshot, model.mode.value
    if model.ended:
        return text("empty.ended"), text("empty.ended.next")
    if not model.has_rows():
        if now.connected:
            return text("empty.no_rows"), text("empty.no_rows.next")
        return text(f"empty.no_sensor.{mode}"), text(f"empty.no_sensor.{mode}.next")
    if not model.fresh(now_s):
        cause = "replay" if model.mode is Mode.REPLAY else "sensor" if now.connected else "link"
        return text("empty.stale", time=duration(model.age_s(now_s))), text(f"empty.stale.{cause}.next")
    if math.isfinite(left := now.calibrate_left_s):
        todo = (
            text("calibrate.running.next", left=math.ceil(left))
            if left > 0
            else text("calibrate.waiting.next")
        )
        return text("calibrate.running"), todo
    if not model.may_bend and not (now.mounted and now.forward_known):
        return text("empty.not_calibrated"), text("calibrate.blocked")
    if not now.mounted:
        return text("empty.not_calibrated"), text("empty.not_calibrated.next", seconds=round(CALIBRATE_S))
    if not now.forward_known:
        return text("empty.no_forward"), text("empty.no_forward.next")
    return "", ""


def _prompt(model: WindowModel, fresh: bool) -> tuple[str, str]:
    """The prompt to show and a note beside it; without a prompt the note says why there is none."""
    if shown := model.prompts:
        ago_s = model.snapshot.t_host_s - shown[0].t_s
        when = text("prompts.just_now") if ago_s < 60 else text("prompts.ago", time=duration(ago_s))
        more = text("prompts.more", count=len(shown) - 1) if len(shown) > 1 else ""
        simulated = text("prompts.simulated") if model.mode is Mode.SIMULATED else ""
        return shown[0].text, " · ".join(part for part in (simulated, when, more) if part)
    if model.mode is Mode.REPLAY:
        return "", text("prompts.replay")
    if model.snapshot.in_pain:
        return "", text("prompts.off.pain")
    if model.silenced:
        return "", text("prompts.off.screening")
    if model.snapshot.snooze_left_s > 0:
        return "", text("prompts.off.snooze", time=duration(model.snapshot.snooze_left_s))
    return "", text("prompts.none" if fresh else "prompts.off.stale")
