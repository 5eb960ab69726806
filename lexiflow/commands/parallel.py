"""Work for a few threads, with a bound on what is in flight."""

from collections import deque
from collections.abc import Callable, Generator, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

T = TypeVar("T")
R = TypeVar("R")


def map_in_threads(
    function: Callable[[T], R],
    items: Iterable[T],
    *,
    workers: int,
    ahead: int,
    is_interrupted: Callable[[], bool],
) -> Generator[R, None, None]:
    """`function` of each item, in the order of the items.

    At most `ahead` items are under way or waiting to be asked for, which bounds the memory. After
    an interruption no more are taken, and what is under way is still given out. Threads: for work
    that waits for other processes or files, or that goes on while the caller waits for the
    database; `function` must not use the database (each thread would get a connection).
    """
    under_way: deque[Future[R]] = deque()
    pool = ThreadPoolExecutor(workers, thread_name_prefix="command")
    try:
        for item in items:
            under_way.append(pool.submit(function, item))
            if len(under_way) >= ahead:
                yield under_way.popleft().result()
            if is_interrupted():
                break
        while under_way:
            yield under_way.popleft().result()
    finally:
        # After an error nobody waits for the rest.
        pool.shutdown(cancel_futures=True)
