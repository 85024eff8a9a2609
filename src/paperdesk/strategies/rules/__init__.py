"""Built-in rules: small, complete examples of the interface. They are for learning and testing, not advice."""
