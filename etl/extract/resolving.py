"""Looking up the names of hosts, which the system only does by blocking, and sometimes for minutes."""

import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, TypeVar

T = TypeVar("T")


class Unwaited(ThreadPoolExecutor):
    """Runs each call in a thread that nobody waits for: neither the end of a walk nor that of the process.

    An event loop takes nothing but a ``ThreadPoolExecutor``, whose threads are joined at both ends: a resolver that
    hangs would keep a walk far beyond its deadline.
    """

    def submit(self, fn: Callable[..., T], /, *args: Any, **kwargs: Any) -> "Future[T]":
        """Begin the call; the thread ends with it, whoever still wants to know."""
        future: Future[T] = Future()
        threading.Thread(target=_call, args=(future, fn, args, kwargs), daemon=True, name="resolving").start()
        return future

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:  # noqa: FBT001, FBT002  as it is
        """Leave everybody alone."""
        del wait, cancel_futures


def _call(future: "Future[T]", fn: Callable[..., T], args: Any, kwargs: Any) -> None:
    if not future.set_running_or_notify_cancel():
        return
    try:
        future.set_result(fn(*args, **kwargs))
    except BaseException as error:  # noqa: BLE001  it belongs to whoever asked
        future.set_exception(error)
