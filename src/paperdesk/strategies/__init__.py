"""What decides: the interface that strategies are written against, the host that runs them, and the built-in rules.

A strategy only ever sends commands. It never learns at the call what became of them: that is told by events, like
everything else.
"""
