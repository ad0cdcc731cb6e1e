"""SIGINT and SIGTERM as a wish to stop after the current step; a second SIGINT stops at once."""

import signal
import threading
from typing import Any


class StopSignal:
    """A context in which `received` becomes true instead of the process ending. Outside the main thread: nothing."""

    def __init__(self) -> None:
        self.received = False
        self._before: dict[int, Any] = {}

    def _receive(self, number: int, frame: object) -> None:
        if self.received and number == signal.SIGINT:
            raise KeyboardInterrupt
        self.received = True

    def __enter__(self) -> "StopSignal":
        if threading.current_thread() is threading.main_thread():
            self._before = {number: signal.signal(number, self._receive) for number in (signal.SIGINT, signal.SIGTERM)}
        return self

    def __exit__(self, *_: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)
