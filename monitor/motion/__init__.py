"""From samples to trunk angles: timeline, calibration, orientation, mount, angles."""
