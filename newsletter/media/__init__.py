"""Images: decoded, re-encoded, kept under random names."""
