"""Arrays in, arrays out: bars and indicators. Every feature declares how far it looks back; none can look ahead."""
