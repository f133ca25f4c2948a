"""Who it is that drives or aborts: the name that stands in record, Lease and report."""

import getpass
import socket


def driver_name() -> str:
    """Say who drives, as ``name@host``."""
    try:
        name = getpass.getuser()
    except OSError:  # a container's uid without an entry in its passwd file
        name = "somebody"
    return f"{name}@{socket.gethostname()}"
