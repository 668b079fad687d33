"""spine1 as a GATT peripheral: characteristics, control point, battery and device information around the firmware."""

from __future__ import annotations

import asyncio

from bumble import att, hci
from bumble.gatt import GATT_BATTERY_SERVICE, Characteristic, Service
from bumble.profiles.device_information_service import DeviceInformationService

from firmware_sim.controller import characteristic, demand_encryption
from firmware_sim.firmware import Firmware
from firmware_sim.link import Air
from firmware_sim.peripheral import Peripheral, StatusListener

SERVICE, INFO, STATE, LIVE, BULK, CTRL = (
    f"e6c9000{n}-c406-4b8b-b8c3-b892b6aa3107" for n in (1, 2, 3, 4, 5, 6)
)
BATTERY_LEVEL = "2A19"
ATT_CCCD_IMPROPERLY_CONFIGURED = 0xFD
ATT_PROCEDURE_ALREADY_IN_PROGRESS = 0xFE
_IS = Characteristic.Properties


class Spine1Peripheral(Peripheral):
    """The firmware's characteristics on the air. `secure`: subscriptions need an encrypted link."""

    def __init__(
        self,
        air: Air,
        firmware: Firmware,
        uid: int,
        *,
        address: str,
        secure: bool = False,
        on_status: StatusListener = lambda _: None,
    ) -> None:
        super().__init__(
            air,
            firmware,
            address=address,
            name=f"supple-{uid & 0xFFFF:04X}",
            service_uuid=SERVICE,
            battery_percent=firmware.battery_percent(air.now_s()),
            on_status=on_status,
        )
        self._firmware = firmware
        self._answering: asyncio.Task[None] | None = None
        info = characteristic(INFO, _IS.READ, "What the sensor is", read=lambda: firmware.info)
        state = characteristic(
            STATE, _IS.READ | _IS.NOTIFY, "How the sensor is", read=lambda: firmware.state(air.now_s())
        )
        live = characteristic(LIVE, _IS.NOTIFY, "Frames as they are measured")
        bulk = characteristic(BULK, _IS.NOTIFY, "Frames from memory")
        ctrl = characteristic(CTRL, _IS.WRITE | _IS.INDICATE, "Control point", write=self._on_ctrl)
        battery = characteristic(
            BATTERY_LEVEL,
            _IS.READ | _IS.NOTIFY,
            "Battery",
            read=lambda: bytes((firmware.battery_percent(air.now_s()),)),
        )
        if secure:
            for subscribable in (state, live, bulk, ctrl):
                demand_encryption(self.device, subscribable)
        about = DeviceInformationService(
            manufacturer_name="supple",
            model_number="spine1 simulator",
            serial_number=f"{uid:016X}",
            firmware_revision="1.0",
        )
        self.offer(
            [
                Service(SERVICE, [info, state, live, bulk, ctrl]),
                about,
                Service(GATT_BATTERY_SERVICE, [battery]),
            ],
            {"state": state, "live": live, "bulk": bulk, "ctrl": ctrl, "battery": battery},
        )

    def power_cycle(self) -> None:
        """The sensor loses power for a moment: it forgets its memory, and the central hears nothing more of it."""
        self._firmware.reboot(self._air.now_s())
        self._air.drop_links(hci.HCI_ErrorCode.CONNECTION_TIMEOUT_ERROR, of=self.address)

    def _on_ctrl(self, payload: bytes) -> None:
        if not self.subscribed("ctrl", indication=True):
            raise att.ATT_Error(ATT_CCCD_IMPROPERLY_CONFIGURED)
        if self._answering is not None and not self._answering.done():
            raise att.ATT_Error(ATT_PROCEDURE_ALREADY_IN_PROGRESS)
        was_streaming, blinks = self._firmware.streaming, self._firmware.blinks
        values = self._firmware.on_ctrl(payload, self._air.now_s())
        self.send([value for value in values if value[0] != "ctrl"])
        answers = [answer for channel, answer in values if channel == "ctrl"]
        self._answering = self.run(self._answer(answers))
        self.rearm()
        if self._firmware.streaming != was_streaming:
            self.tell(f"streams at {self._firmware.rate_hz:g} Hz" if self._firmware.streaming else "stopped")
        if self._firmware.blinks != blinks:
            self.tell("blinks")

    async def _answer(self, answers: list[bytes]) -> None:
        for answer in answers:
            await self.indicate("ctrl", answer)
