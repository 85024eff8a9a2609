"""Public market data in: recordings and a simulated market, each reduced to blocks of numbered-to-be input records.

A feed cannot carry an order: its port only gives. Start reading at `port.py`, then `replay.py` (recordings) or
`simulated.py`.
"""
