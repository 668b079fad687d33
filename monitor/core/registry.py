"""Plug-ins are found, not listed: every module of a socket package offers one attribute."""

from __future__ import annotations

import importlib
import pkgutil
from types import ModuleType
from typing import Any


def discover(package: ModuleType, attribute: str) -> dict[str, Any]:
    """Name -> plug-in for every module of `package` that has `attribute`, sorted by name.

    Raises ValueError where two plug-ins have one name.
    """
    found: dict[str, Any] = {}
    for info in sorted(pkgutil.iter_modules(package.__path__), key=lambda m: m.name):
        plugin = getattr(importlib.import_module(f"{package.__name__}.{info.name}"), attribute, None)
        if plugin is None:
            continue
        if plugin.name in found:
            raise ValueError(f"two plug-ins of {package.__name__} are named {plugin.name!r}")
        found[plugin.name] = plugin
    return dict(sorted(found.items()))
