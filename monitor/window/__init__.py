"""The pyqtgraph window: the only folder that imports Qt."""
