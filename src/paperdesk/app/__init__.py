"""The composition root: settings, bootstrap, the run loop, the command line."""
