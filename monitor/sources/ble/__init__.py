"""The Bluetooth client: the only folder that imports bleak."""
