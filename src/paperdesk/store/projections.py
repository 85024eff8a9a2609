"""From outputs of the fold to rows in SQL, in bulk and idempotent."""
