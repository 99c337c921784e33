"""What happened, told: numbers, a ledger, the words of one request."""
