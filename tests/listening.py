"""Undoes what a command did to the logging of this process."""

import logging


def silence() -> None:
    """Take our handlers away and forget that anybody narrated."""
    root = logging.getLogger()
    for handler in root.handlers[:]:
        if type(handler).__module__ == "etl.log":
            root.removeHandler(handler)
    for name in ("etl", "etl.run"):
        logging.getLogger(name).setLevel(logging.NOTSET)
