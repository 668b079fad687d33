"""The version, from the installed distribution: it is written once, in pyproject.toml."""

from importlib.metadata import version

VERSION = version("supple")
