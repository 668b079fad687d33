"""A BlueZ with no adapter (argument None) or with one whose power is as given, for a bus of one's own."""

import asyncio
import sys

from dbus_fast import BusType, PropertyAccess
from dbus_fast.aio import MessageBus
from dbus_fast.service import ServiceInterface, dbus_property


class Adapter(ServiceInterface):
    def __init__(self, powered: bool) -> None:
        super().__init__("org.bluez.Adapter1")
        self._powered = powered

    @dbus_property(access=PropertyAccess.READ)
    def Powered(self) -> "b":  # type: ignore[name-defined]  # noqa: F821, N802
        return self._powered

    @dbus_property(access=PropertyAccess.READ)
    def Roles(self) -> "as":  # type: ignore  # noqa: F722, N802
        return ["central", "peripheral"]


class Root(ServiceInterface):
    """Makes / answer GetManagedObjects even when there is no adapter."""

    def __init__(self) -> None:
        super().__init__("org.bluez.Nothing")


async def main(power: str) -> None:
    bus = await MessageBus(bus_type=BusType.SYSTEM).connect()
    bus.export("/", Root())
    if power != "None":
        bus.export("/org/bluez/hci0", Adapter(power == "True"))
    await bus.request_name("org.bluez")
    print("ready", flush=True)
    await bus.wait_for_disconnect()


asyncio.run(main(sys.argv[1]))
