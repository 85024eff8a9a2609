"""The independent auditor: replays what a run stated and asserts the rule book by another route."""
