"""A second desk, written from `docs/venue-rules.md` alone: plain dicts, lists and decimals, slow and obvious.

It knows nothing of the product (a test holds that): when it and the compiled core agree to the last unit on random
streams, the rule book is what both of them do. Read `venue.py` and `market.py` for the fills, `ledger.py` for the
money, `risk.py` for the limits and `desk.py` for the order of things. `streams.py` makes the random streams;
`records.py` and `compare.py` are the only modules here that know the product: they put both desks side by side.
"""
