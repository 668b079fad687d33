"""Sockets for sensors: one file per device family, bytes -> samples in SI."""
