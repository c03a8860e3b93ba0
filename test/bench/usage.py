"""usage.py FILE COMMAND...: runs it; writes {"wall": seconds, "cpu": seconds, "rss": bytes} of it and what it started to the file."""
import json
import resource
import subprocess
import sys
import time

started = time.perf_counter()
status = subprocess.call(sys.argv[2:])
wall = time.perf_counter() - started
used = resource.getrusage(resource.RUSAGE_CHILDREN)
with open(sys.argv[1], "w") as file:
    json.dump({"wall": wall, "cpu": used.ru_utime + used.ru_stime, "rss": used.ru_maxrss * 1024}, file)
sys.exit(status)
