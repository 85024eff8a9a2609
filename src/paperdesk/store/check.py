"""Is the database what the log says it is: rebuild, content hash, findings."""
