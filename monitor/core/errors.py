"""One family of errors. Each says in a sentence what is wrong, offers the next step, and carries its datum."""

from __future__ import annotations


class SuppleError(Exception):
    """`sentence` says what is wrong, `next_step` what to do about it. `exit_code` is what the command ends with."""

    exit_code = 2

    def __init__(self, sentence: str, next_step: str = "", datum: object = None) -> None:
        super().__init__(sentence)
        self.sentence = sentence
        self.next_step = next_step
        self.datum = datum


class InputFileError(SuppleError):
    """A file that cannot be read as what it was given as. `datum` is its path."""


class MountError(SuppleError):
    """Calibration refused. `datum` names the reason: `moving`, `too_short`, `no_forward`, `disagree`, `thoracic_gait`."""


class CalibrationError(SuppleError):
    """A sensor's own calibration refused. `datum` is the reason in the words of motion.chip.ellipsoid."""


class RadioError(SuppleError):
    """Bluetooth cannot be used. `datum` names the case: `no_adapter`, `off`, `permission`, `no_daemon`, `no_dbus`, ..."""

    exit_code = 3


class SensorNotFoundError(SuppleError):
    """No such sensor in reach. `datum` is what was looked for."""

    exit_code = 3


class StorageError(SuppleError):
    """A recording or folder cannot be written or opened. `datum` is the path."""

    exit_code = 4


class SettingsError(SuppleError):
    """A setting, option or definition out of its range or unknown. `datum` is its name."""
