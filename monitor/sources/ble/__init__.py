"""Bluetooth LE: the only folder that imports bleak, and bumble for the virtual radio."""
