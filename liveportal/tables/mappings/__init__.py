"""The mappings that are shipped, one TOML document each."""
