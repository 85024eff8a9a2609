"""Paperdesk: a trading desk that can only trade on paper.

Market events come in from a recording, a simulation or a public feed; one pure fold turns them into orders, fills and
balances; a strategy decides by sending commands. There is no live mode: no code in this package can place a real order.
"""

__version__ = "0.1.0"
