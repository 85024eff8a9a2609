"""How true are the venue's fills? Real resting orders, taken out of an order-level recording, asked of the venue again."""
