"""Runs a command with its output dropped and prints the most memory that it held resident, in KiB.

Usage: peak_memory.py COMMAND [ARGUMENT...]

The kernel keeps the figure for children that were waited for. On Linux it is in KiB; macOS counts in bytes.
"""

import resource
import subprocess
import sys

if len(sys.argv) < 2:
    sys.exit(__doc__)
status = subprocess.run(sys.argv[1:], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, check=False).returncode
if status != 0:
    sys.exit(f"{sys.argv[1]} ended with {status}")
peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
print(peak // 1024 if sys.platform == "darwin" else peak)
