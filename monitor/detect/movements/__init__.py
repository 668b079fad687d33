"""Movements of the trunk by direction; strokes, excursions and turns are kinds of them."""

from monitor.detect.movements.logic import DETECTOR

__all__ = ["DETECTOR"]
