"""The floor everything stands on: quaternions, blocks, the digest, the registry."""

from __future__ import annotations

import types
from dataclasses import replace

import numpy as np
import pytest

from monitor.core import quaternion as qt
from monitor.core.blocks import ImuBlock, TrunkBlock, freeze, take
from monitor.core.digest import StreamDigest
from monitor.core.events import Gap, Posture, PostureState
from monitor.core.registry import discover


def random_quaternions(n: int, seed: int = 1) -> np.ndarray:
    q = np.random.default_rng(seed).normal(size=(n, 4))
    return q / np.linalg.norm(q, axis=1, keepdims=True)


def trunk(t0_s: float, n: int) -> TrunkBlock:
    t_s = t0_s + np.arange(n) / 100.0
    q = random_quaternions(n, seed=int(t0_s * 100) + 7)
    column = np.sin(t_s)
    return TrunkBlock(
        "a", t_s, q, q[:, :3], column, column, column, column, q[:, 1:], q[:, :3], column, t_s > 0.0, 100.0
    )


def test_rotating_by_a_product_is_rotating_twice() -> None:
    p, q = random_quaternions(50, 1), random_quaternions(50, 2)
    v = np.random.default_rng(3).normal(size=(50, 3))
    assert qt.rotate(qt.multiply(p, q), v) == pytest.approx(qt.rotate(p, qt.rotate(q, v)), abs=1e-12)
    assert qt.rotate(qt.conjugate(p), qt.rotate(p, v)) == pytest.approx(v, abs=1e-12)


def test_a_quarter_turn_about_y_takes_x_to_minus_z() -> None:
    quarter = np.array([np.cos(np.pi / 4), 0.0, np.sin(np.pi / 4), 0.0])
    assert qt.rotate(quarter, np.array([1.0, 0.0, 0.0])) == pytest.approx([0.0, 0.0, -1.0], abs=1e-15)


def test_matrix_and_quaternion_agree_in_every_branch() -> None:
    half_turns = np.eye(4)  # identity and the three half turns: one branch of the conversion each
    for q in np.vstack((half_turns, random_quaternions(200))):
        back = qt.from_matrix(qt.to_matrix(q))
        assert min(np.abs(back - q).max(), np.abs(back + q).max()) < 1e-12


def test_up_in_source_is_the_vertical_seen_from_the_sensor() -> None:
    q = random_quaternions(50)
    expected = qt.rotate(qt.conjugate(q), np.broadcast_to([0.0, 0.0, 1.0], (50, 3)))
    assert qt.up_in_source(q) == pytest.approx(expected, abs=1e-12)


def test_blocks_handed_out_cannot_be_written() -> None:
    block = freeze(trunk(0.0, 10))
    with pytest.raises(ValueError, match="read-only"):
        block.t_s[0] = 1.0
    assert len(take(block, slice(2, 5))) == 3


def test_the_digest_is_blind_to_block_boundaries_and_to_nothing_else() -> None:
    whole, cut, other, order = StreamDigest(), StreamDigest(), StreamDigest(), StreamDigest()
    rows = trunk(1.0, 30)
    state = PostureState(2.0, Posture.SITTING, 0.9, 4.0)
    whole.push([rows, state])
    cut.push([take(rows, slice(0, 1)), state])
    cut.push([take(rows, slice(1, 30))])
    flexion = rows.flexion_deg.copy()
    flexion[17] = np.nextafter(flexion[17], 1.0)
    other.push([replace(rows, flexion_deg=flexion), state])
    order.push([take(rows, slice(1, 30)), take(rows, slice(0, 1)), state])
    assert whole.hexdigest() == cut.hexdigest()
    assert whole.hexdigest() != other.hexdigest()
    assert whole.hexdigest() != order.hexdigest()


def test_the_digest_separates_cells_sensors_and_inputs() -> None:
    one, two, three = StreamDigest(), StreamDigest(), StreamDigest()
    one.push([Gap("a", 1.0, 2.0, "xy")])
    two.push([Gap("ax", 1.0, 2.0, "y")])
    assert one.hexdigest() != two.hexdigest()
    three.push([replace(trunk(1.0, 5), sensor="b")])
    four = StreamDigest()
    four.push([trunk(1.0, 5)])
    assert three.hexdigest() != four.hexdigest()
    empty = StreamDigest()
    imu = ImuBlock("a", np.zeros(1), np.zeros((1, 3)), None, np.ones(1, bool), None)
    empty.push([imu])
    assert empty.hexdigest() == StreamDigest().hexdigest()


def test_two_plug_ins_of_one_name_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    package = types.ModuleType("socket_package")
    package.__path__ = ["nowhere"]
    plugin = types.SimpleNamespace(name="same")
    modules = {f"socket_package.{n}": types.SimpleNamespace(PLUGIN=plugin) for n in ("a", "b")}
    monkeypatch.setattr(
        "pkgutil.iter_modules", lambda _path: [types.SimpleNamespace(name=n) for n in ("a", "b")]
    )
    monkeypatch.setattr("importlib.import_module", lambda name: modules[name])
    with pytest.raises(ValueError, match="same"):
        discover(package, "PLUGIN")
