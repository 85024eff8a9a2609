"""What the desk remembers: the log (the authority), snapshots, and SQL projections that can always be rebuilt from the
log.

Start reading at `log.py`; `disk.py` is the seam to the operating system, with a simulated disk that loses what was not
synced.
"""
