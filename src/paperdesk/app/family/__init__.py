"""The processes of a desk: one supervisor, and what it starts: the door with the feed, the engine, the api."""
