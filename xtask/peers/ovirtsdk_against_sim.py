"""Drives chaos-sim's engine with oVirt's own Python SDK, a client that this project did not write.

Usage: ovirtsdk_against_sim.py, with OLVM_URL, OLVM_USERNAME, OLVM_PASSWORD and perhaps OLVM_CA_FILE in the environment,
as `chaosmonkey sim serve --platform olvm` prints them. The simulator may have any estate: the script adds its own VMs
through the control door. It prints `ok NAME` or `not ok NAME: REASON` for each check, and exits with 1 if one failed. It
leaves the clock stopped, with VMs in every status, so that another client can be compared with the SDK.
"""

import sys

from ovirtsdk_checks import access, power, reading, records, remains, trouble
from ovirtsdk_checks.support import SPEED, control

CHECKS = [
    function
    for module in (reading, power, trouble, records, access, remains)
    for function in vars(module).values()
    if getattr(function, "is_check", False)
]


def main():
    control("POST", "clock", {"speed": SPEED, "paused": False})
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
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
