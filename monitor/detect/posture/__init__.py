"""Sitting, standing, walking, lying or unknown. Found by its name `DETECTOR` like every detector."""

from monitor.detect.posture.logic import DETECTOR

__all__ = ["DETECTOR"]
