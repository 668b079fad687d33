"""The sensor's firmware without its radio: clock, memory, packing, control point. Time comes in as a number.

Whoever carries the bytes calls `advance` when `next_due_s` has come, and hands over what happens on the link.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol, TypeAlias

import numpy as np

from firmware_sim import wire
from firmware_sim.ring import Ring
from firmware_sim.sampler import Chip, Sampler
from firmware_sim.wire import TICKS_PER_S, Op, Result

Value: TypeAlias = tuple[str, bytes]
"""Channel and payload, on their way to the receiver."""

STATE_PERIOD_S = 1.0
BOOT_S = 0.4
"""From power to the first sample. Order of magnitude of small BLE sensors; the simulator's own choice."""
DRAIN_PERCENT_PER_H = 3.0
"""A 200 mAh cell at about 6 mA (IMU, MCU and radio at 100 Hz): a waking day and a half. The simulator's own choice."""
BATTERY_LOW_PERCENT = 10
OVERHEATED_C = 45.0
"""Contact with skin above this burns in the long run (ISO 13732-1, 43 to 45 deg C for contact of hours)."""
RATE_DIVISORS = (1, 2, 4)
"""Rates on offer: the nominal rate over each of these."""
_UNAVAILABLE = frozenset((Op.HELLO, Op.FETCH, Op.ABORT, Op.ACK, Op.ERASE))
_FIRST_TICK_BELOW_S = 3600


class Plan(Protocol):
    """What a scenario says of its firmware."""

    @property
    def rate_hz(self) -> float: ...

    @property
    def clock_ppm(self) -> float: ...

    @property
    def battery_percent(self) -> float: ...

    @property
    def uid(self) -> int: ...

    @property
    def ring_samples(self) -> int: ...


@dataclass(slots=True)
class _Link:
    """One connection as the firmware sees it. `radio_event_s` maps a time to the next moment the radio can send.

    `capacity` is how many samples go in a frame, 0 where only compact frames fit.
    """

    capacity: int
    radio_event_s: Callable[[float], float]
    state_due_s: float
    streaming: bool = False
    next_send: int = 0
    battery_told: int = -1


class Firmware:
    """spine1, sending side. True time in seconds is never negative and never goes back.

    The clock runs at 32768 (1 + clock_ppm 1e-6) Hz from a random tick. Samples are written to memory first and sent
    second. `silent` is the fault of a firmware that hangs with its link up; `blinks` counts IDENTIFY.
    `first_seq` and `first_tick` start the counters elsewhere (to see them wrap).
    """

    def __init__(
        self,
        chip: Chip,
        plan: Plan,
        seed: int,
        *,
        placement: str = "any",
        first_seq: int = 0,
        first_tick: int | None = None,
    ) -> None:
        self._chip = chip
        self._plan = plan
        self._rng = np.random.default_rng(seed)
        self._placement = placement
        self._rate_centihz = round(plan.rate_hz * 100)
        self._sampler = Sampler(chip, plan.rate_hz, plan.clock_ppm)
        self._link: _Link | None = None
        self.silent = False
        self.blinks = 0
        self.boot_id = 0
        self._boot(0.0, first_seq, first_tick)

    @property
    def info(self) -> bytes:
        """The INFO characteristic."""
        scale = self._chip.params
        return wire.pack_info(
            wire.Info(
                uid=self._plan.uid,
                acc_full_scale_g=round(scale.acc_full_scale_g),
                gyr_full_scale_deg_s=round(scale.gyr_full_scale_deg_s),
                rate_hz=self._plan.rate_hz,
                placement=self._placement,
                ring_samples=self._plan.ring_samples,
            )
        )

    @property
    def streaming(self) -> bool:
        return self._link is not None and self._link.streaming

    @property
    def rate_hz(self) -> float:
        """Samples per second of the sensor's own clock."""
        return self._plan.rate_hz / self._sampler.step

    def tick(self, t_s: float) -> int:
        """The sensor's clock at true time `t_s`, u32."""
        return (self._ticks_since_power(t_s) + self._tick_base) & 0xFFFF_FFFF

    def battery_percent(self, t_s: float) -> int:
        return max(0, round(self._plan.battery_percent - t_s / 3600 * DRAIN_PERCENT_PER_H))

    def state(self, t_s: float) -> bytes:
        """The STATE characteristic at `t_s`."""
        self._measure_until(t_s)
        ring, battery = self._ring, self.battery_percent(t_s)
        temperature_c = self._chip.temperature_c(t_s)
        low = wire.ERROR_BATTERY_LOW if battery < BATTERY_LOW_PERCENT else 0
        hot = wire.ERROR_OVERHEATED if temperature_c > OVERHEATED_C else 0
        return wire.pack_state(
            wire.State(
                boot_id=self.boot_id,
                tick=self.tick(t_s),
                oldest_seq=ring.oldest_seq & 0xFFFF_FFFF if len(ring) else wire.NONE_YET,
                newest_seq=(ring.next_seq - 1) & 0xFFFF_FFFF if len(ring) else wire.NONE_YET,
                acked_seq=wire.NONE_YET,
                evicted=ring.evicted,
                rate_hz=self.rate_hz,
                temperature_c=temperature_c,
                clipped=self._clipped,
                errors=low | hot,
                battery_percent=battery,
            )
        )

    def next_due_s(self) -> float:
        """When there will be something to send; infinity without a link."""
        link = self._link
        if link is None:
            return math.inf
        if not link.streaming:
            return link.state_due_s
        return min(link.state_due_s, self._frame_due_s(link))

    def advance(self, to_s: float) -> list[Value]:
        """Everything that became due up to `to_s`, in order."""
        out: list[Value] = []
        link = self._link
        while link is not None:
            frame_s = self._frame_due_s(link) if link.streaming else math.inf
            if min(frame_s, link.state_due_s) > to_s:
                break
            if frame_s <= link.state_due_s:
                self._measure_until(frame_s)
                out.extend(self._frames(link, link.capacity or 1, frame_s))
            else:
                out.extend(self._told_each_second(link, link.state_due_s))
                link.state_due_s += STATE_PERIOD_S
        return [] if self.silent else out

    def on_connect(self, t_s: float, mtu: int, radio_event_s: Callable[[float], float] = lambda t: t) -> None:
        self._link = _Link(
            wire.samples_per_frame(mtu),
            radio_event_s,
            t_s + STATE_PERIOD_S,
            battery_told=self.battery_percent(t_s),
        )

    def on_mtu(self, mtu: int) -> None:
        """The link now carries values of up to `mtu` - 3 bytes."""
        if self._link is not None:
            self._link.capacity = wire.samples_per_frame(mtu)

    def on_disconnect(self) -> None:
        """The link is gone: streaming ends, measuring goes on."""
        self._link = None

    def on_ctrl(self, payload: bytes, t_s: float) -> list[Value]:
        """A write to CTRL: what it sets going, its answer last but for the STATE that follows a START."""
        if self._link is None:
            raise ValueError("a write without a link")
        request = wire.unpack_request(payload)
        if request is None:
            return [("ctrl", wire.pack_answer(payload[0] if payload else 0, Result.INVALID_PARAMETER, 0))]
        op, nonce, parameters = request
        if op in _UNAVAILABLE or op not in set(Op):
            return [("ctrl", wire.pack_answer(op, Result.UNKNOWN_OP, nonce))]
        if len(parameters) != (2 if op == Op.START else 0):
            return [("ctrl", wire.pack_answer(op, Result.INVALID_PARAMETER, nonce))]
        before: list[Value] = []
        after: list[Value] = []
        values = b""
        match op:
            case Op.START:
                before = self._start(self._link, int.from_bytes(parameters, "little"), t_s)
                values = round(self.rate_hz * 100).to_bytes(2, "little")
                after = [("state", self.state(t_s))]
            case Op.STOP:
                before = self._stop(self._link, t_s)
            case Op.TIME_PING:
                sent = self.tick(self._link.radio_event_s(t_s))
                values = self.tick(t_s).to_bytes(4, "little") + sent.to_bytes(4, "little")
            case _:
                self.blinks += 1
        return [*before, ("ctrl", wire.pack_answer(op, Result.SUCCESS, nonce, values)), *after]

    def reboot(self, t_s: float, *, keep_boot_id: bool = False) -> None:
        """Lose power at `t_s`: link, memory and counters are gone. `keep_boot_id` is the fault of a bad firmware."""
        boot_id = self.boot_id
        self._link = None
        self._boot(t_s + BOOT_S, 0, None)
        if keep_boot_id:
            self.boot_id = boot_id

    def _boot(self, t_s: float, first_seq: int, first_tick: int | None) -> None:
        self.boot_id = int(self._rng.integers(1, 0x1_0000_0000))
        tick = (
            int(self._rng.integers(_FIRST_TICK_BELOW_S * TICKS_PER_S)) if first_tick is None else first_tick
        )
        self._tick_base = tick - self._ticks_since_power(t_s)
        self._ring = Ring(self._plan.ring_samples, first_seq)
        self._clipped = 0
        self._sampler.step = 1
        if t_s > 0:
            self._sampler.skip_to(t_s)

    def _ticks_since_power(self, t_s: float) -> int:
        return math.floor(t_s * TICKS_PER_S * (1.0 + self._plan.clock_ppm * 1e-6))

    def _measure_until(self, t_s: float) -> None:
        """Write every row due by `t_s` to memory."""
        due = self._sampler.due_rows(t_s)
        while due > 0:
            n = min(due, self._plan.ring_samples)
            rows, clipped = self._sampler.take(n)
            self._ring.write(rows, clipped)
            self._clipped += clipped.count(1)
            due -= n

    def _start(self, link: _Link, rate_centihz: int, t_s: float) -> list[Value]:
        wanted_hz = rate_centihz / 100 or self._plan.rate_hz
        step = min(RATE_DIVISORS, key=lambda d: abs(math.log(self._plan.rate_hz / d / wanted_hz)))
        out: list[Value] = []
        if link.streaming and step == self._sampler.step:
            return out
        if link.streaming:
            out = self._stop(link, t_s)
        self._measure_until(t_s)
        self._sampler.step = step
        link.streaming, link.next_send = True, self._ring.next_seq
        return out

    def _stop(self, link: _Link, t_s: float) -> list[Value]:
        """End the stream; what is measured and not yet sent goes first, in a shorter frame."""
        out: list[Value] = []
        if link.streaming:
            out = self.advance(t_s)
            self._measure_until(t_s)
            rest = self._ring.next_seq - link.next_send
            if rest:
                out += self._frames(link, rest, t_s)
        link.streaming = False
        return [] if self.silent else out

    def _frame_due_s(self, link: _Link) -> float:
        """When the last sample of the next frame is taken."""
        missing = (link.capacity or 1) - (self._ring.next_seq - link.next_send)
        return self._sampler.due_s(missing)

    def _frames(self, link: _Link, n: int, t_s: float) -> list[Value]:
        """The next n measured samples as one frame or as compact ones, stamped for the radio event after `t_s`."""
        first, size = link.next_send, wire.SAMPLE_BYTES
        samples, clipped = self._ring.read(first, n)
        link.next_send += n
        if link.capacity == 0:
            return [
                (
                    "live",
                    wire.pack_compact(
                        self.boot_id, first + k, self._sample_tick(first + k), samples[size * k :][:size]
                    ),
                )
                for k in range(n)
            ]
        tick = self._sample_tick(first)
        delta = min((self.tick(link.radio_event_s(t_s)) - tick) & 0xFFFF_FFFF, wire.TX_DELTA_UNKNOWN)
        seq = first & 0xFFFF_FFFF
        return [("live", wire.pack_frame(self.boot_id, seq, tick, delta, samples, clipped=1 in clipped))]

    def _sample_tick(self, seq: int) -> int:
        index = self._sampler.next_index - (self._ring.next_seq - seq) * self._sampler.step
        return (index * TICKS_PER_S * 100 // self._rate_centihz + self._tick_base) & 0xFFFF_FFFF

    def _told_each_second(self, link: _Link, t_s: float) -> list[Value]:
        out: list[Value] = [("state", self.state(t_s))]
        battery = self.battery_percent(t_s)
        if battery != link.battery_told:
            link.battery_told = battery
            out.append(("battery", bytes((battery,))))
        return out
