"""Ctrl-C between two steps, never within one: so that what is left behind is a place to go on from."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Generator
from contextlib import contextmanager
from types import FrameType


@contextmanager
def held_back(wanted: bool) -> Generator[Callable[[], bool], None, None]:
    """Hold Ctrl-C back while the block runs; a second one interrupts at once.

    Args:
        wanted: Whether to hold it back at all. It is not held back outside the main thread, or where the program
            already treats it in a way of its own.

    Yields:
        A function that tells whether Ctrl-C was pressed.
    """
    main = threading.current_thread() is threading.main_thread()
    if not (wanted and main and signal.getsignal(signal.SIGINT) is signal.default_int_handler):
        yield lambda: False
        return
    pressed = False

    def press(number: int, frame: FrameType | None) -> None:
        nonlocal pressed
        pressed = True
        signal.signal(signal.SIGINT, signal.default_int_handler)

    signal.signal(signal.SIGINT, press)
    try:
        yield lambda: pressed
    finally:
        signal.signal(signal.SIGINT, signal.default_int_handler)
