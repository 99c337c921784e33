"""What a provider's error means: pure, from its words to one of fcc's errors."""
