"""The policy: every key of ``policy.toml``, its range and meaning, and the official parameters of the plans."""
