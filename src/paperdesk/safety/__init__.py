"""The guarantee that the desk trades on paper only, and that a secret given by mistake is neither used nor shown."""
