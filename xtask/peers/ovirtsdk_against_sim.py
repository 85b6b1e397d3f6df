"""Drives chaos-sim's engine with oVirt's own Python SDK, a client that this project did not write.

Usage: ovirtsdk_against_sim.py, with OLVM_URL, OLVM_USERNAME, OLVM_PASSWORD and, for TLS, OLVM_CA_FILE in the environment,
as `chaosmonkey sim serve --platform olvm` prints them. The simulator may have any estate: the script adds its own VMs
through the control door. It prints `ok NAME` or `not ok NAME: REASON` for each check, exits with 1 if one failed, and
leaves the clock stopped, so that what it leaves behind can be looked at.
"""

import sys

from ovirtsdk_checks import access, power, reading, records
from ovirtsdk_checks.support import SPEED, control

CHECKS = [
    function
    for module in (reading, power, records, access)
    for function in vars(module).values()
    if getattr(function, "is_check", False)
]


def main():
    control("POST", "clock", {"speed": SPEED})
    failed = 0
    for function in CHECKS:
        try:
            function()
            print("ok", function.__name__, flush=True)
        except Exception as error:  # every failure is a line, and the next check still runs
            failed += 1
            # The line of the check itself, whatever it called.
            at = error.__traceback__.tb_next.tb_lineno
            reason = " ".join(("line %d: %s: %s" % (at, type(error).__name__, error)).split())
            print("not ok %s: %s" % (function.__name__, reason[:500]), flush=True)
    control("POST", "clock", {"paused": True})
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
