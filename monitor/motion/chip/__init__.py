"""The sensor's own chip: its calibration, found in still poses, applied, and watched."""
