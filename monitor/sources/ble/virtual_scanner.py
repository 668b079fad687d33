"""bleak's scanner over the virtual adapter."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from typing import Any

from bleak.backends.scanner import AdvertisementData, AdvertisementDataCallback, BaseBleakScanner
from bleak.uuids import normalize_uuid_16, normalize_uuid_32
from bumble.core import UUID, AdvertisingData
from bumble.device import Advertisement, Device

from monitor.sources.ble.adapter import VirtualAdapter

MAX_SEEN = 256
"""Advertisers remembered at a time; beyond it the one heard longest ago is forgotten (a flood stays bounded)."""

_SERVICE_LISTS = frozenset(
    (
        AdvertisingData.INCOMPLETE_LIST_OF_16_BIT_SERVICE_CLASS_UUIDS,
        AdvertisingData.COMPLETE_LIST_OF_16_BIT_SERVICE_CLASS_UUIDS,
        AdvertisingData.INCOMPLETE_LIST_OF_32_BIT_SERVICE_CLASS_UUIDS,
        AdvertisingData.COMPLETE_LIST_OF_32_BIT_SERVICE_CLASS_UUIDS,
        AdvertisingData.INCOMPLETE_LIST_OF_128_BIT_SERVICE_CLASS_UUIDS,
        AdvertisingData.COMPLETE_LIST_OF_128_BIT_SERVICE_CLASS_UUIDS,
    )
)
_UUID_BYTES = {0x02: 2, 0x03: 2, 0x04: 4, 0x05: 4, 0x06: 16, 0x07: 16}
_SERVICE_DATA_BYTES = {0x16: 2, 0x20: 4, 0x21: 16}
_NAMES = frozenset((AdvertisingData.SHORTENED_LOCAL_NAME, AdvertisingData.COMPLETE_LOCAL_NAME))


class VirtualScanner(BaseBleakScanner):
    """`BleakScanner(backend=VirtualScanner, radio=adapter)`."""

    def __init__(
        self,
        detection_callback: AdvertisementDataCallback | None,
        service_uuids: list[str] | None,
        scanning_mode: str,
        *,
        radio: VirtualAdapter,
        **_unused: Any,
    ) -> None:
        super().__init__(detection_callback, service_uuids)
        self._adapter = radio
        self._active = scanning_mode == "active"
        self._inside: contextlib.AsyncExitStack | None = None

    async def start(self) -> None:
        self.seen_devices.clear()
        async with contextlib.AsyncExitStack() as stack:
            device = await stack.enter_async_context(self._adapter.scanning(self._active))
            device.on(Device.EVENT_ADVERTISEMENT, self._heard)
            stack.callback(device.remove_listener, Device.EVENT_ADVERTISEMENT, self._heard)
            self._inside = stack.pop_all()

    async def stop(self) -> None:
        inside, self._inside = self._inside, None
        if inside is not None:
            await inside.aclose()

    def _heard(self, heard: Advertisement) -> None:
        key = heard.address.to_string(with_type_qualifier=False)
        before = self.seen_devices.pop(key, None)
        advertised = parse(heard.data.ad_structures, heard.rssi, heard)
        if not self.is_allowed_uuid(advertised.service_uuids):
            return
        if before is not None:
            self.seen_devices[key] = before
        # The name is often in the scan response only: keep it between reports, as operating systems do.
        name = advertised.local_name or (before[0].name if before is not None else None)
        device = self.create_or_update_device(
            key, key, name, {"address": heard.address}, advertised._replace(local_name=name)
        )
        while len(self.seen_devices) > MAX_SEEN:
            del self.seen_devices[next(iter(self.seen_devices))]
        self.call_detection_callbacks(device, self.seen_devices[key][1])


def parse(structures: Sequence[tuple[int, bytes]], rssi_dbm: int, raw: object) -> AdvertisementData:
    """The fields bleak wants from AD structures (type, content); malformed ones are left out."""
    name: str | None = None
    tx_power: int | None = None
    manufacturer: dict[int, bytes] = {}
    service_data: dict[str, bytes] = {}
    uuids: dict[str, None] = {}
    for kind, content in structures:
        if kind in _SERVICE_LISTS:
            size = _UUID_BYTES[kind]
            whole = len(content) - len(content) % size
            uuids.update(dict.fromkeys(uuid_text(content[i : i + size]) for i in range(0, whole, size)))
        elif kind in _NAMES:
            name = content.decode("utf-8", "replace")
        elif kind == AdvertisingData.MANUFACTURER_SPECIFIC_DATA and len(content) >= 2:
            manufacturer[int.from_bytes(content[:2], "little")] = bytes(content[2:])
        elif kind == AdvertisingData.TX_POWER_LEVEL and len(content) == 1:
            tx_power = int.from_bytes(content, "little", signed=True)
        elif kind in _SERVICE_DATA_BYTES and len(content) >= _SERVICE_DATA_BYTES[kind]:
            size = _SERVICE_DATA_BYTES[kind]
            service_data[uuid_text(content[:size])] = bytes(content[size:])
    return AdvertisementData(name, manufacturer, service_data, list(uuids), tx_power, rssi_dbm, (raw,))


def uuid_text(little_endian: bytes) -> str:
    """A UUID of 2, 4 or 16 bytes as it goes over the air -> bleak's lower-case 128-bit text."""
    if len(little_endian) == 2:
        return normalize_uuid_16(int.from_bytes(little_endian, "little"))
    if len(little_endian) == 4:
        return normalize_uuid_32(int.from_bytes(little_endian, "little"))
    return str(UUID.from_bytes(little_endian).to_hex_str("-")).lower()
