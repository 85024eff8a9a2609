"""What people, pages and bots see of a desk, and how their commands reach it."""
