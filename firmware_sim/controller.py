"""Bumble 0.0.236, repaired: every work-round of its controller, link and GATT server, and nothing else.

Each has a test of its own in `tests/test_sim_controller.py`, so that a newer Bumble shows which can go:

1. ACL buffers of 27 bytes cut one notification into ten.
2. LE Set Data Length and LE Set PHY are announced and not there.
3. HCI Reset forgets nothing: after a killed client the sensor stays connected for ever.
4. The link names the sender's random address even where the connection was made from its public one.
5. Extended advertising and LL privacy are announced, but connections complete with the legacy event.
6. A peripheral is always told interval 12.5 ms, timeout 100 ms; legacy advertising intervals are taken as ms;
   the scan response repeats the advertisement; RSSI is always -50.
7. LE Create Connection Cancel leaves the attempt pending and never completes it.
8. The automatic subscription descriptor can be written without encryption; properties of values are not enforced.
9. Controllers live in a set: who is served first changes from run to run.
10. Every packet is rendered as coloured text for a log that nobody reads.
11. A parameter request that was under way when its link dropped blocks all later ones.
12. A server transport keeps the half packet of a killed client and puts it before the next client's first one.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, cast

from bumble import att, controller, gatt, hci, link, ll
from bumble.core import (
    ConnectionParameterUpdateError,
    InvalidArgumentError,
    InvalidStateError,
    PhysicalTransport,
)
from bumble.device import Connection, Device
from bumble.transport.common import StreamPacketSource, Transport

MAX_ACL_BYTES = 251
MAX_PACKET_US = 2120
"""Air time of 251 bytes on the 1M PHY."""
_ADVERTISING_UNIT_S = 0.625e-3
_HCI_ACL = 0x02
_PERMISSION = att.Attribute.Permissions


@dataclass
class Advertisement(ll.AdvInd):
    """An advertisement with its own scan response and the strength with which it arrives."""

    scan_response: bytes = b""
    rssi_dbm: int = 0


class RepairedLink(link.LocalLink):
    """A local link that serves controllers in the order in which they came, and names the right sender."""

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.controllers = cast(set[controller.Controller], _InOrder())

    def send_acl_data(
        self,
        sender_controller: controller.Controller,
        destination_address: hci.Address,
        transport: PhysicalTransport,  # noqa: ARG002
        data: bytes,
    ) -> None:
        connection = sender_controller.le_connections.get(destination_address)
        receiver = self.find_le_controller(destination_address)
        if connection is not None and receiver is not None:
            self.carry(connection, receiver, data)

    def carry(self, connection: controller.Connection, receiver: controller.Controller, data: bytes) -> None:
        """Bring one L2CAP packet across."""
        asyncio.get_running_loop().call_soon(deliver, connection.self_address, receiver, data)

    def advertising_delay_s(self) -> float:
        """The pseudo-random delay that follows every advertising interval."""
        return 0.0


def deliver(source: hci.Address, receiver: controller.Controller, data: bytes) -> None:
    """Hand over what arrived, unless the connection has gone meanwhile."""
    if source in receiver.le_connections:
        receiver.on_link_acl_data(source, PhysicalTransport.LE, data)


class _InOrder(dict[Any, None]):
    """As much of a set as the link uses, in order of arrival."""

    def add(self, item: object) -> None:
        self[item] = None

    def remove(self, item: object) -> None:
        del self[item]


class _Advertiser(controller.LegacyAdvertiser):
    """Legacy advertising in its real units and with its own scan response."""

    def _on_timer_fired(self) -> None:
        self.send_advertising_data()
        wait_s = self.advertising_interval_min * _ADVERTISING_UNIT_S
        wait_s += cast(RepairedLink, self.controller.link).advertising_delay_s()
        self.timer_handle = asyncio.get_running_loop().call_later(wait_s, self._on_timer_fired)

    def send_advertising_data(self) -> None:
        if self.enabled:
            self.controller.send_advertising_pdu(
                Advertisement(self.address, self.advertising_data, self.scan_response_data)
            )


class RepairedController(controller.Controller):
    """A virtual HCI controller on a `RepairedLink`; usable as source and sink of a Bumble host."""

    le_acl_data_packet_length = MAX_ACL_BYTES
    supported_max_tx_octets = supported_max_rx_octets = suggested_max_tx_octets = MAX_ACL_BYTES
    supported_max_tx_time = supported_max_rx_time = suggested_max_tx_time = MAX_PACKET_US
    le_features = controller.Controller.le_features & ~(
        hci.LeFeatureMask.LL_PRIVACY
        | hci.LeFeatureMask.LE_EXTENDED_ADVERTISING
        | hci.LeFeatureMask.LE_PERIODIC_ADVERTISING
    )

    def __init__(
        self,
        name: str,
        air: RepairedLink,
        public_address: str,
        host_source: Any = None,
        host_sink: Any = None,
    ) -> None:
        super().__init__(name, host_source, host_sink, air, f"{public_address}/P")
        self.le_legacy_advertiser = _Advertiser(self)

    def on_packet(self, packet: bytes) -> None:
        parsed = hci.HCI_Packet.from_bytes(packet)
        if packet[0] == _HCI_ACL:
            self.on_hci_acl_data_packet(cast(hci.HCI_AclDataPacket, parsed))
        else:
            self.on_hci_packet(parsed)

    def send_hci_packet(self, packet: hci.HCI_Packet) -> None:
        if self.host:
            asyncio.get_running_loop().call_soon(self.host.on_packet, bytes(packet))

    @property
    def listens(self) -> bool:
        """Does it want advertisements?"""
        return self.le_scan_enable or self.pending_le_connection is not None

    def on_hci_le_set_data_length_command(
        self, command: hci.HCI_LE_Set_Data_Length_Command
    ) -> hci.HCI_StatusAndConnectionHandleReturnParameters:
        octets = min(command.tx_octets, MAX_ACL_BYTES)
        event = hci.HCI_LE_Data_Length_Change_Event(
            connection_handle=command.connection_handle,
            max_tx_octets=octets,
            max_tx_time=MAX_PACKET_US,
            max_rx_octets=octets,
            max_rx_time=MAX_PACKET_US,
        )
        asyncio.get_running_loop().call_soon(self.send_hci_packet, event)
        return hci.HCI_StatusAndConnectionHandleReturnParameters(
            status=hci.HCI_ErrorCode.SUCCESS, connection_handle=command.connection_handle
        )

    def on_hci_le_set_phy_command(self, command: hci.HCI_LE_Set_PHY_Command) -> None:
        self._send_hci_command_status(hci.HCI_COMMAND_STATUS_PENDING, command.op_code)
        self.send_hci_packet(
            hci.HCI_LE_PHY_Update_Complete_Event(
                status=hci.HCI_ErrorCode.SUCCESS,
                connection_handle=command.connection_handle,
                tx_phy=hci.Phy.LE_2M if command.tx_phys & hci.PhyBit.LE_2M else hci.Phy.LE_1M,
                rx_phy=hci.Phy.LE_2M if command.rx_phys & hci.PhyBit.LE_2M else hci.Phy.LE_1M,
            )
        )

    def on_hci_reset_command(self, command: hci.HCI_Reset_Command) -> hci.HCI_StatusReturnParameters:
        for connection in list(self.le_connections.values()):
            try:
                connection.send_ll_control_pdu(ll.TerminateInd(hci.HCI_ErrorCode.CONNECTION_TIMEOUT_ERROR))
            except InvalidArgumentError:
                continue  # the other side has gone as well
        self.le_connections.clear()
        self.le_scan_enable = False
        self.pending_le_connection = None
        self.le_legacy_advertiser.stop()
        return super().on_hci_reset_command(command)

    def on_hci_le_create_connection_cancel_command(
        self, command: hci.HCI_LE_Create_Connection_Cancel_Command
    ) -> hci.HCI_StatusReturnParameters:
        pending = self.pending_le_connection
        if pending is None:
            return hci.HCI_StatusReturnParameters(hci.HCI_ErrorCode.COMMAND_DISALLOWED_ERROR)
        self.pending_le_connection = None
        event = hci.HCI_LE_Connection_Complete_Event(
            status=hci.HCI_ErrorCode.UNKNOWN_CONNECTION_IDENTIFIER_ERROR,
            connection_handle=0,
            role=hci.Role.CENTRAL,
            peer_address_type=pending.peer_address.address_type,
            peer_address=pending.peer_address,
            connection_interval=0,
            peripheral_latency=0,
            supervision_timeout=0,
            central_clock_accuracy=0,
        )
        asyncio.get_running_loop().call_soon(self.send_hci_packet, event)
        return super().on_hci_le_create_connection_cancel_command(command)

    def on_le_connect_ind(self, packet: ll.ConnectInd) -> None:
        advertiser = self.le_legacy_advertiser
        if advertiser.address != packet.advertiser_address or not advertiser.enabled:
            return
        connection = controller.Connection(
            controller=self,
            handle=self.allocate_connection_handle(),
            role=hci.Role.PERIPHERAL,
            self_address=packet.advertiser_address,
            peer_address=packet.initiator_address,
            link=self.link,
            transport=PhysicalTransport.LE,
            link_type=hci.HCI_Connection_Complete_Event.LinkType.ACL,
        )
        self.le_connections[packet.initiator_address] = connection
        self.send_hci_packet(
            hci.HCI_LE_Connection_Complete_Event(
                status=hci.HCI_ErrorCode.SUCCESS,
                connection_handle=connection.handle,
                role=connection.role,
                peer_address_type=packet.initiator_address.address_type,
                peer_address=packet.initiator_address,
                connection_interval=packet.interval,
                peripheral_latency=packet.latency,
                supervision_timeout=packet.timeout,
                central_clock_accuracy=0,
            )
        )
        advertiser.stop()

    def on_advertising_pdu(self, pdu: ll.AdvInd | ll.AdvExtInd) -> None:
        if self.le_scan_enable and isinstance(pdu, Advertisement):
            kind = hci.HCI_LE_Advertising_Report_Event.EventType
            self._report(pdu, kind.ADV_IND, pdu.data)
            if self.le_scan_type == hci.HCI_LE_Set_Scan_Parameters_Command.ACTIVE_SCANNING:
                self._report(pdu, kind.SCAN_RSP, pdu.scan_response)
        pending = self.pending_le_connection
        if pending is not None and pending.peer_address == pdu.advertiser_address:
            self.create_le_connection(pdu.advertiser_address)

    def _report(self, pdu: Advertisement, kind: int, content: bytes) -> None:
        report = hci.HCI_LE_Advertising_Report_Event.Report(
            event_type=kind,
            address_type=pdu.advertiser_address.address_type,
            address=pdu.advertiser_address,
            data=content,
            rssi=pdu.rssi_dbm,
        )
        self.send_hci_packet(hci.HCI_LE_Advertising_Report_Event([report]))


def heard_at(advertisement: Advertisement, rssi_dbm: float) -> Advertisement:
    """The same advertisement as one receiver hears it; the strength is kept within what HCI can say."""
    return replace(advertisement, rssi_dbm=round(max(-127.0, min(20.0, rssi_dbm))))


def characteristic(
    uuid: str,
    properties: gatt.Characteristic.Properties,
    description: str,
    *,
    read: Callable[[], bytes] | None = None,
    write: Callable[[bytes], None] | None = None,
) -> gatt.Characteristic[bytes]:
    """A characteristic with a User Description that refuses (ATT 0x02, 0x03) what its properties do not offer.

    `write` may raise `att.ATT_Error`.
    """

    def on_read(_: object) -> bytes:
        if read is None:
            raise att.ATT_Error(att.ATT_READ_NOT_PERMITTED_ERROR)
        return read()

    def on_write(_: object, value: bytes) -> None:
        if write is None:
            raise att.ATT_Error(att.ATT_WRITE_NOT_PERMITTED_ERROR)
        write(bytes(value))

    permissions = _PERMISSION(0)
    permissions |= _PERMISSION.READABLE if read else permissions
    permissions |= _PERMISSION.WRITEABLE if write else permissions
    text = gatt.Descriptor(
        gatt.GATT_CHARACTERISTIC_USER_DESCRIPTION_DESCRIPTOR, _PERMISSION.READABLE, description.encode()
    )
    value = gatt.CharacteristicValue(read=on_read, write=on_write)
    return gatt.Characteristic(uuid, properties, permissions, value, [text])


def demand_encryption(device: Device, subscribable: gatt.Characteristic[bytes]) -> None:
    """Give `subscribable` a subscription descriptor that is only written over an encrypted link (else ATT 0x0F)."""
    descriptor = gatt.Descriptor(
        gatt.GATT_CLIENT_CHARACTERISTIC_CONFIGURATION_DESCRIPTOR,
        _PERMISSION.READABLE | _PERMISSION.WRITEABLE | _PERMISSION.WRITE_REQUIRES_ENCRYPTION,
        device.gatt_server.make_descriptor_value(subscribable),
    )
    subscribable.descriptors = [*subscribable.descriptors, descriptor]


async def ask_parameters(connection: Connection, interval_ms: tuple[float, float], timeout_ms: float) -> None:
    """The peripheral's wish for connection parameters; a central that refuses or goes away is no error."""
    channels = connection.device.l2cap_channel_manager
    try:
        await connection.update_parameters(*interval_ms, 0, timeout_ms, use_l2cap=True)
    except (ConnectionParameterUpdateError, InvalidStateError):
        return
    finally:
        channels.connection_parameters_update_response = None


def start_each_client_clean(transport: Transport) -> None:
    """A server transport forgets the packet that its last client did not finish. Others are left as they are."""
    source, sink = transport.source, transport.sink
    if not (isinstance(source, StreamPacketSource) and hasattr(sink, "transport")):
        return
    receive, client = source.data_received, sink.transport

    def data_received(content: bytes) -> None:
        nonlocal client
        if sink.transport is not client:
            client = sink.transport
            source.parser.reset()
        receive(content)

    source.data_received = data_received  # type: ignore[assignment, method-assign]
