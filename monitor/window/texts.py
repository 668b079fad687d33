"""Every sentence the window shows, by id. Plain words, an observation and an option, no verdicts.

`{name}` fields are filled in by `text`. Sources of the health lines: the project's requirement pages on breaks,
pops, pain and urgent signs; their wording rules are kept by a lint over this file.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

TEXTS: Mapping[str, str] = MappingProxyType(
    {
        "app.title": "supple",
        # --- banner ---
        "banner.live": "LIVE",
        "banner.live.note": "from the sensor you wear",
        "banner.replay": "REPLAY",
        "banner.replay.note": "a recording: nothing here is happening now",
        "banner.simulated": "SIMULATED",
        "banner.simulated.note": "from the bundled simulator: nobody is wearing this",
        "banner.ended": "ENDED",
        "banner.ended.note": "the session is over: nothing here is happening now",
        # --- link, battery, coverage ---
        "link.up": "Connected",
        "link.down": "No link",
        "link.up.replay": "Connected then",
        "link.down.replay": "No link then",
        "link.searching": "Looking for the sensor",
        "link.one_down": "No link to the {place}",
        "battery.known": "Battery {percent} %",
        "battery.unknown": "Battery —",
        "coverage.known": "Measured {percent} %",
        "coverage.unknown": "Measured —",
        "coverage.tip": "Share of the time since the first data that was really measured.",
        # --- state ---
        "state.unknown": "Unknown",
        "state.sitting": "Sitting",
        "state.standing": "Standing",
        "state.walking": "Walking",
        "state.lying": "Lying",
        "state.for": "for {time}",
        "state.unknown.why": "not enough evidence yet",
        "state.stale.why": "no data now",
        "sitting.title": "Without a break",
        "sitting.total": "Sitting in this session",
        "none": "—",
        # --- figure ---
        "figure.side": "From the side",
        "figure.rear": "From behind",
        "figure.alt": "Drawing of the trunk. {side}. {rear}.",
        # --- readings ---
        "reading.flexion": "Forward bend",
        "reading.lateral": "Side bend",
        "reading.rotation": "Turn",
        "reading.inclination": "Tilt from upright",
        "reading.flexion.ways": "↑ forward   ↓ backward",
        "reading.lateral.ways": "↑ right   ↓ left",
        "reading.rotation.ways": "↑ left   ↓ right",
        "reading.inclination.ways": "",
        "reading.forward": "forward",
        "reading.backward": "backward",
        "reading.right": "to the right",
        "reading.left": "to the left",
        "reading.middle": "about upright",
        "reading.facing": "about straight",
        "reading.value": "{degrees}°",
        "reading.uncertainty": "± {degrees}°",
        "reading.uncertainty.tip": "Within ± of the shown angle the true one lies nine times in ten (90 %).",
        "reading.turn.note": "since the last still moment",
        "reading.no_forward": "needs calibration",
        "reading.no_rotation": "needs a gyroscope",
        "lumbar.title": "Lumbar",
        "lumbar.no_link": "needs both sensors",
        "lumbar.tip": "The upper sensor against the lower one: what the back itself bends and turns between them.",
        "plot.now": "now",
        "plot.seconds": "{seconds} s",
        "placement.at": "Trunk tilt at the {place}",
        "placement.lower_back": "low back",
        "placement.upper_back": "upper back",
        "placement.sternum": "breastbone",
        "placement.waist": "waist",
        # --- empty states: what is missing, and the next step ---
        "empty.no_sensor.live": "No sensor yet",
        "empty.no_sensor.live.next": "Put the sensor on, switch it on and keep it within a few metres. It is found by itself.",
        "empty.no_sensor.replay": "Opening the recording",
        "empty.no_sensor.replay.next": "It starts by itself.",
        "empty.no_sensor.simulated": "Starting the simulated sensor",
        "empty.no_sensor.simulated.next": "It connects by itself.",
        "empty.no_rows": "Connected, waiting for data",
        "empty.no_rows.next": "If nothing comes within 10 s, switch the sensor off and on again.",
        "empty.not_calibrated": "Not calibrated yet",
        "empty.not_calibrated.next": "Wear the sensor, then press Calibrate. It takes {seconds} s.",
        "empty.no_forward": "Forward is not known yet",
        "empty.no_forward.next": "Press Calibrate and bend forward gently, three times: that tells forward from sideways.",
        "empty.stale": "No data for {time}",
        "empty.stale.link.next": "The link is down. Come closer to this computer; it connects again by itself.",
        "empty.stale.sensor.next": "The link is up but the sensor is silent. If it stays so, switch the sensor off and on.",
        "empty.stale.replay.next": "The recording has nothing here, or it is paused.",
        "empty.ended": "The session has ended",
        "empty.ended.next": "Everything was saved. Close this window when you like.",
        # --- calibration ---
        "calibrate.running": "Calibrating",
        "calibrate.running.next": "{left} s left. Stand still for 5 s, then bend forward gently and come back up, three times.",
        "calibrate.waiting.next": "Working out the result.",
        "calibrate.done": "Calibrated.",
        "calibrate.blocked": "Calibration asks for bending, so it waits until the self-check is answered.",
        # --- setup page ---
        "setup.title": "Getting started",
        "setup.lead": "Three steps, about a minute.",
        "setup.wear": "Put the sensor on",
        "setup.wear.lower_back": "Over the spine at the low back, at the height of a belt.",
        "setup.wear.upper_back": "Over the spine between the shoulder blades.",
        "setup.wear.sternum": "On the breastbone, a hand's width below the notch of the collarbones.",
        "setup.wear.waist": "On the belt at the front of the hip, always on the same side.",
        "setup.strap.snug": "Snug enough not to slide; two fingers still fit under the strap.",
        "setup.strap.way": "The same way up each time, the arrow toward your head, flat on the body.",
        "setup.strap.cloth": "On clean dry skin or over one thin layer of cloth.",
        "setup.strap.skin": "Take it off for the night, and at once if it gets warm or the skin gets sore.",
        "setup.connect": "Connect",
        "setup.connect.done": "Connected.",
        "setup.calibrate": "Calibrate",
        "setup.calibrate.how": "Stand still for 5 s, then bend forward gently and come back up, three times. {seconds} s in all.",
        "setup.calibrate.done": "Done. Calibrate again after you move the sensor.",
        "setup.back": "Show the &monitor",
        "setup.drawing.alt": "Drawing: the sensor at the {place}.",
        "setup.drawing.rear": "Seen from behind",
        "setup.drawing.front": "Seen from the front",
        # --- prompts and messages ---
        "prompts.none": "No prompt now.",
        "prompts.off.pain": "Prompts are off since you pressed Pain.",
        "prompts.off.screening": "Prompts are off.",
        "prompts.off.snooze": "Prompts are paused for {time}.",
        "prompts.off.stale": "No prompts while there are no data.",
        "prompts.ago": "{time} ago",
        "prompts.just_now": "just now",
        "prompts.more": "and {count} more",
        "prompts.dismiss": "&Dismiss",
        "prompts.replay": "Prompts of a recording are listed here, not given.",
        "prompts.recorded": "In the recording a prompt came here: {text}",
        "prompts.simulated": "Simulated prompt",
        "messages.of": "{place}: ",
        "messages.noted": "Noted: {what}.",
        "messages.snoozed": "Prompts paused.",
        "messages.unsnoozed": "Prompts on again.",
        # --- buttons ---
        "button.stiff": "Sti&ff",
        "button.urge": "I want to &crack it",
        "button.popped": "&Popped",
        "button.pain": "P&ain",
        "button.attached": "I put it &back on",
        "button.snooze": "S&nooze",
        "button.snooze.5": "5 minutes",
        "button.snooze.15": "15 minutes",
        "button.snooze.60": "1 hour",
        "button.snooze.tomorrow": "Until tomorrow",
        "button.snooze.off": "Prompts on again",
        "button.calibrate": "Ca&librate",
        "button.setup": "Place&ment",
        "button.stop": "&Stop",
        "button.close": "Cl&ose",
        "mark.stiff": "stiff",
        "mark.urge": "I want to crack it",
        "mark.popped": "popped",
        "mark.pain": "pain",
        "mark.attached": "sensor put back on",
        # --- "I want to crack it" ---
        "urge.title": "Nothing has to crack",
        "urge.window": "Your back popped {ago} ago. Another pop is unlikely for about {left}; trying again would only strain it.",
        "urge.sound": "A pop is only a sound. A back can feel better without one.",
        "urge.options": "What may feel good now",
        "urge.breathe": "Breathe slowly for a minute and let your belly move.",
        "urge.walk": "Take a short walk at an easy pace. Stop if it hurts.",
        "urge.heat": "Something warm, not hot, with cloth between, for up to 15 minutes. Not where skin is sore or feels little.",
        "urge.meaning": "What the urge may mean",
        "urge.meaning.text": "A back may not pop because it popped a short while ago, because muscles are holding on, because of "
        "how you are placed, or because of how your back is built or moves. This program cannot tell which.",
        "urge.silenced": "Leave your back in peace for now and ask a health professional first.",
        "urge.ask": "When to ask somebody",
        "urge.ask.text": "Ask a physiotherapist or a doctor if the urge or the stiffness stays for more than a few days, keeps "
        "coming back, or comes with pain. With numbness, tingling, weakness or a change in bladder or bowel "
        "control, get urgent medical help.",
        # --- pain ---
        "pain.title": "Stop, and rest",
        "pain.stop": "Prompts are off. Stop what you were doing and rest in a way that feels easy.",
        "pain.ask": "If the pain stays or comes back, ask a health professional.",
        "pain.urgent": "Get urgent medical help if one of these is new or was never checked",
        "pain.urgent.bladder": "A change in bladder or bowel control",
        "pain.urgent.saddle": "Numbness around the groin, the bottom or the inner thighs, or a change in sexual function",
        "pain.urgent.nerve": "Numbness, tingling, weakness or pain that runs down a leg or an arm",
        "pain.urgent.legs": "Signs in both legs, or a leg that gets weaker",
        "pain.urgent.fever": "Back pain with a fever you cannot explain",
        "pain.urgent.weight": "Weight loss you cannot explain",
        "pain.urgent.fall": "Pain after a fall or an accident",
        "pain.urgent.history": "Severe pain or feeling unwell, if you ever had cancer, take steroids, have weak defences "
        "against infection, or inject drugs",
        "pain.soon": "See a doctor soon about pain at night or when lying down, pain that rest does not ease, new pain after a "
        "small fall when older or with brittle bones, or new pain with cancer in the past, steroids, weak defences or "
        "injected drugs.",
        "pain.note": "This is general information. The program does not know what causes your pain.",
        # --- self-check level, on every screen ---
        "screening.3": "Get urgent medical help for what you told the self-check. Movement ideas and prompts are off until a "
        "health professional has cleared you.",
        "screening.2": "Please see a doctor soon about what you told the self-check. Movement ideas are off until then.",
        # --- stop ---
        "stop.title": "Stop now?",
        "stop.text": "The recording is saved and the sensor is let go.",
        "stop.yes": "&Stop and save",
        "stop.no": "&Keep going",
        "stop.running": "Stopping and saving",
        # --- durations ---
        "time.s": "{seconds} s",
        "time.min": "{minutes} min",
        "time.h": "{hours} h",
        "time.h_min": "{hours} h {minutes} min",
        # --- where the window cannot open ---
        "display.none": "There is no screen to draw on (neither DISPLAY nor WAYLAND_DISPLAY is set). "
        "Use the terminal view instead.",
        "display.library": "The window needs a system library that is missing ({library}). "
        "On Debian or Ubuntu: sudo apt-get install {packages}",
        "display.module": "The window needs the package {module}. Install the program again with all it depends on.",
        "display.unreachable": "No screen answers at {display}. Check DISPLAY, or use the terminal view instead.",
        "display.plugin": "Qt could not open the screen. On Debian or Ubuntu it may help to: sudo apt-get install {packages}",
        "display.slow": "Qt did not answer within {seconds} s. Use the terminal view instead.",
    }
)


def text(id: str, **values: object) -> str:
    """The sentence `id` with its fields filled in. Raises KeyError for an unknown id or a missing field."""
    return TEXTS[id].format(**values)


def duration(seconds: float) -> str:
    """A length of time in at most two units: `45 s`, `32 min`, `2 h 14 min`."""
    whole = int(max(0.0, seconds))
    if whole < 60:
        return text("time.s", seconds=whole)
    hours, minutes = divmod(whole // 60, 60)
    if not hours:
        return text("time.min", minutes=minutes)
    return text("time.h_min", hours=hours, minutes=minutes) if minutes else text("time.h", hours=hours)
