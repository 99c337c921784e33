"""The provider's side: limits, attempts, connections."""
