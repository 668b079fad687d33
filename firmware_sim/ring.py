"""The sensor's memory: a ring of samples, oldest overwritten first, every overwritten one counted."""

from __future__ import annotations

from firmware_sim.wire import SAMPLE_BYTES


class Ring:
    """Samples by sequence number, each with a flag byte. `next_seq` is the number the next one written will get."""

    def __init__(self, capacity: int, first_seq: int = 0) -> None:
        self._capacity = capacity
        self._samples = bytearray(capacity * SAMPLE_BYTES)
        self._flags = bytearray(capacity)
        self._first_seq = first_seq
        self.next_seq = first_seq

    def __len__(self) -> int:
        return min(self.next_seq - self._first_seq, self._capacity)

    @property
    def oldest_seq(self) -> int:
        return self.next_seq - len(self)

    @property
    def evicted(self) -> int:
        """Samples overwritten so far."""
        return self.next_seq - self._first_seq - len(self)

    def write(self, samples: bytes, flags: bytes) -> None:
        """Append len(flags) samples."""
        self.next_seq += len(flags)
        kept = flags[-self._capacity :]
        at = (self.next_seq - len(kept)) % self._capacity
        _put(self._flags, at, kept)
        _put(self._samples, at * SAMPLE_BYTES, samples[len(samples) - len(kept) * SAMPLE_BYTES :])

    def read(self, seq: int, n: int) -> tuple[bytes, bytes]:
        """Samples and flags of seq .. seq + n - 1. ValueError where they are not, or no longer, in memory."""
        if not (self.oldest_seq <= seq and seq + n <= self.next_seq):
            raise ValueError(f"samples {seq}..{seq + n - 1} are not in memory")
        at = seq % self._capacity
        return _get(self._samples, at * SAMPLE_BYTES, n * SAMPLE_BYTES), _get(self._flags, at, n)


def _put(memory: bytearray, at: int, content: bytes) -> None:
    head = min(len(content), len(memory) - at)
    memory[at : at + head] = content[:head]
    memory[: len(content) - head] = content[head:]


def _get(memory: bytearray, at: int, size: int) -> bytes:
    wrapped = max(0, at + size - len(memory))
    return bytes(memory[at : at + size] + memory[:wrapped])
