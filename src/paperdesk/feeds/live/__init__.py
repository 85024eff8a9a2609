"""Live public market data: the venue's own messages, read by the same readers as recordings, over the door."""
