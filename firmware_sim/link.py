"""What the air does: advertisements that are not heard, connection events, stretches out of reach, lost notifications.

A Bluetooth link layer repeats what was not acknowledged, so what a bad radio does is delay, and then the
supervision timeout. Only a full queue in the host loses notifications (`loss`).
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

import numpy as np
from bumble import att, hci, ll
from bumble.controller import Connection, Controller

from firmware_sim.controller import Advertisement, RepairedController, RepairedLink, deliver, heard_at
from firmware_sim.radio import EVENT_OPEN_S, AirPlan, blocked_windows, clear_of, next_event_s

INTERVAL_UNIT_S = 1.25e-3
TIMEOUT_UNIT_S = 10e-3
ADVERTISING_DELAY_S = 10e-3
"""advDelay: 0 to 10 ms are added to every advertising interval (Bluetooth Core, Vol 6 Part B 4.4.2.2.1)."""
_ATT_CHANNEL = 4


@dataclass
class _Connected:
    """One connection, from its making on. Events are at `anchor_s` + k `interval_s`, seconds of the scenario."""

    central: hci.Address
    peripheral: hci.Address
    anchor_s: float
    interval_s: float
    timeout_s: float


@dataclass
class _Pipe:
    """One direction of one connection: packets that wait for the next connection event."""

    link: _Connected
    source: hci.Address
    receiver: Controller
    waiting: deque[bytes] = field(default_factory=deque)


class Air(RepairedLink):
    """The air between controllers; every chance in it comes from `seed`. `open` starts the scenario's clock.

    `tamper`, where set, replaces each L2CAP packet by the packets it returns: the seam for faults.
    """

    def __init__(self, plan: AirPlan, seed: int) -> None:
        super().__init__()
        self._plan = plan
        self._rng = np.random.default_rng(seed)
        self._blocked = blocked_windows(plan)
        self._links: dict[tuple[hci.Address, hci.Address], _Connected] = {}
        self._pipes: dict[tuple[hci.Address, hci.Address], _Pipe] = {}
        self._timers: set[asyncio.TimerHandle] = set()
        self._origin_s = 0.0
        self._closed = False
        self.tamper: Callable[[bytes], Iterable[bytes]] | None = None

    @property
    def interval(self) -> int:
        """The connection interval that centrals in this air settle on, in HCI units, whatever was asked for."""
        return max(6, round(self._plan.interval_s / INTERVAL_UNIT_S))

    def open(self) -> None:
        """Second 0 of the scenario is now."""
        self._origin_s = asyncio.get_running_loop().time()
        for start_s, end_s in self._blocked:
            self.call_at(start_s, self._watch_links, end_s)

    def close(self) -> None:
        """Nothing moves any more."""
        self._closed = True
        for timer in self._timers:
            timer.cancel()
        self._timers.clear()

    def now_s(self) -> float:
        """Seconds of the scenario."""
        return asyncio.get_running_loop().time() - self._origin_s

    def call_at(self, t_s: float, call: Callable[..., None], *arguments: object) -> asyncio.TimerHandle:
        """Call at scenario second `t_s`, unless the air is closed before."""

        def fire() -> None:
            self._timers.discard(timer)
            call(*arguments)

        timer = asyncio.get_running_loop().call_at(t_s + self._origin_s, fire)
        if self._closed:
            timer.cancel()
        else:
            self._timers.add(timer)
        return timer

    def in_reach(self) -> bool:
        now_s = self.now_s()
        return clear_of(self._blocked, now_s) == now_s

    def radio_event_s(self, own: hci.Address, peer: hci.Address, t_s: float) -> float:
        """When a packet that `own` hands over at `t_s` is on the air; scenario time."""
        link = self._links[own, peer]
        open_s = EVENT_OPEN_S if own == link.peripheral else 0.0
        return next_event_s(t_s, link.anchor_s, link.interval_s, self._blocked, open_s)

    def link_opened(self, central: hci.Address, peripheral: hci.Address, interval: int, timeout: int) -> None:
        """A connection was made; `interval` and `timeout` in HCI units."""
        link = _Connected(
            central, peripheral, self.now_s(), interval * INTERVAL_UNIT_S, timeout * TIMEOUT_UNIT_S
        )
        self._links[central, peripheral] = self._links[peripheral, central] = link

    def timeout_changed(self, own: hci.Address, peer: hci.Address, timeout: int) -> None:
        """The supervision timeout of a connection is now `timeout`, in HCI units."""
        self._links[own, peer].timeout_s = timeout * TIMEOUT_UNIT_S

    def link_closed(self, own: hci.Address, peer: hci.Address) -> None:
        """One end is gone, and with it what it had not sent yet."""
        pipe = self._pipes.pop((own, peer), None)
        if pipe is not None:
            pipe.waiting.clear()

    def drop_links(
        self, reason: int, *, of: hci.Address | None = None, side: Controller | None = None
    ) -> None:
        """End connections with an HCI reason: all, or those `of` one address; for both ends, or for one `side`."""
        for end in [side] if side else list(self.controllers):
            for connection in list(end.le_connections.values()):
                if of is None or of in (connection.self_address, connection.peer_address):
                    end.on_le_disconnected(connection, reason)

    def advertising_delay_s(self) -> float:
        return float(self._rng.random()) * ADVERTISING_DELAY_S

    def send_advertising_pdu(self, sender_controller: Controller, packet: ll.AdvertisingPdu) -> None:
        loop = asyncio.get_running_loop()
        for receiver in self.controllers:
            if receiver is sender_controller or not isinstance(receiver, RepairedController):
                continue
            if not isinstance(packet, Advertisement):
                loop.call_soon(receiver.on_ll_advertising_pdu, packet)
            elif receiver.listens and self.in_reach() and self._rng.random() >= self._plan.adv_loss:
                rssi_dbm = self._rng.normal(self._plan.rssi_dbm, self._plan.rssi_sd_db)
                loop.call_soon(receiver.on_ll_advertising_pdu, heard_at(packet, rssi_dbm))

    def send_ll_control_pdu(
        self, sender_address: hci.Address, receiver_address: hci.Address, packet: ll.ControlPdu
    ) -> None:
        now_s = self.now_s()
        back_s = clear_of(self._blocked, now_s)
        if back_s == now_s:
            super().send_ll_control_pdu(sender_address, receiver_address, packet)
        elif isinstance(packet, ll.TerminateInd):
            # Never heard: the other end notices by its supervision timeout.
            link = self._links[sender_address, receiver_address]
            self.call_at(now_s + link.timeout_s, self._lose, link)
        else:
            self.call_at(back_s, super().send_ll_control_pdu, sender_address, receiver_address, packet)

    def carry(self, connection: Connection, receiver: Controller, data: bytes) -> None:
        for packet in self.tamper(data) if self.tamper else (data,):
            if not self._lost(packet):
                self._queue(connection.self_address, connection.peer_address, receiver, packet)

    def _lost(self, packet: bytes) -> bool:
        """A notification the host has no room for. L2CAP: length u16, channel u16; then the ATT opcode."""
        if self._plan.loss == 0.0 or packet[2] != _ATT_CHANNEL:
            return False
        return packet[4] == att.Opcode.ATT_HANDLE_VALUE_NOTIFICATION and self._rng.random() < self._plan.loss

    def _queue(self, own: hci.Address, peer: hci.Address, receiver: Controller, packet: bytes) -> None:
        pipe = self._pipes.get((own, peer))
        if pipe is None or pipe.link is not self._links[own, peer]:
            pipe = self._pipes[own, peer] = _Pipe(self._links[own, peer], own, receiver)
        pipe.waiting.append(packet)
        if len(pipe.waiting) == 1:
            self.call_at(self.radio_event_s(own, peer, self.now_s()), self._flush, pipe)

    def _flush(self, pipe: _Pipe) -> None:
        while pipe.waiting:
            deliver(pipe.source, pipe.receiver, pipe.waiting.popleft())

    def _watch_links(self, end_s: float) -> None:
        """A blocked stretch begins: links that time out before its end will be lost."""
        now_s = self.now_s()
        for (own, _), link in self._links.items():
            if own == link.central and now_s + link.timeout_s < end_s:
                self.call_at(now_s + link.timeout_s, self._lose, link)

    def _lose(self, link: _Connected) -> None:
        """The supervision timeout of `link`, for whichever end still has it."""
        if self._links[link.central, link.peripheral] is not link:
            return
        self.drop_links(hci.HCI_ErrorCode.CONNECTION_TIMEOUT_ERROR, of=link.peripheral)


class AirController(RepairedController):
    """A controller that tells its `Air` about connections, and takes the air's connection interval."""

    def __init__(
        self, name: str, air: Air, public_address: str, host_source: object = None, host_sink: object = None
    ) -> None:
        super().__init__(name, air, public_address, host_source, host_sink)
        self._air = air

    def create_le_connection(self, peer_address: hci.Address) -> None:
        pending = self.pending_le_connection
        if (
            not isinstance(pending, hci.HCI_LE_Create_Connection_Command)
            or peer_address in self.le_connections
        ):
            return
        pending.connection_interval_min = self._air.interval
        super().create_le_connection(peer_address)
        own = self.le_connections[peer_address].self_address
        self._air.link_opened(own, peer_address, self._air.interval, pending.supervision_timeout)

    def on_hci_le_connection_update_command(self, command: hci.HCI_LE_Connection_Update_Command) -> None:
        command.connection_interval_max = self._air.interval
        connection = self.find_le_connection_by_handle(command.connection_handle)
        if connection is not None:
            own, peer = connection.self_address, connection.peer_address
            self._air.timeout_changed(own, peer, command.supervision_timeout)
        super().on_hci_le_connection_update_command(command)

    def on_hci_reset_command(self, command: hci.HCI_Reset_Command) -> hci.HCI_StatusReturnParameters:
        for connection in self.le_connections.values():
            self._air.link_closed(connection.self_address, connection.peer_address)
        return super().on_hci_reset_command(command)

    def on_le_disconnected(self, connection: Connection, reason: int) -> None:
        self._air.link_closed(connection.self_address, connection.peer_address)
        super().on_le_disconnected(connection, reason)
