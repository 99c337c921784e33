"""What a person chose and what is known of each provider: TOML in, frozen structs out."""
