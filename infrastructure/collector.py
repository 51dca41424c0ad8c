"""Python's cycle collector, calmed: nothing that is done for a request or an event makes cycles.

With its usual thresholds it takes up to two thirds of decoding events, and stops an API for 50 to 100 ms at a
time.
"""

import gc

_THRESHOLDS = (50_000, 20, 50)


def calm_collector() -> None:
    """Leaves what the process was built of alone for good, and looks for cycles seldom from now on."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(*_THRESHOLDS)
