"""Events for whoever watches: one line each on stderr, so that stdout stays what was asked for."""

import logging
import sys

import stamina
import structlog
from stamina.instrumentation import RetryDetails


def configure() -> None:
    """Send what this program and its libraries have to say to stderr; called once, by the command line."""
    logging.basicConfig(stream=sys.stderr, level=logging.WARNING, format="%(name)s: %(message)s")
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.dev.ConsoleRenderer(colors=False, pad_level=False, pad_event_to=0),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        # Asked anew for each event, because a progress display puts itself in the place of stderr.
        logger_factory=lambda *_: structlog.PrintLogger(sys.stderr),
    )
    stamina.instrumentation.set_on_retry_hooks([_announce])


def _announce(details: RetryDetails) -> None:
    """A gateway was asked in vain and will be asked again; the reason holds no secret."""
    reason = str(details.caused_by)
    structlog.get_logger().warning("asking again", seconds=round(details.wait_for, 1), because=reason)
