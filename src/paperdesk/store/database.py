"""The projections' database: a SQLite file that can be thrown away and rebuilt from the log."""
