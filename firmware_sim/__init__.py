"""The other end of the wire: a simulated wearer, a simulated sensor, a real GATT peripheral."""
