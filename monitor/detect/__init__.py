"""Socket for detectors: trunk angles -> events."""
