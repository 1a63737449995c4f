"""What keeps machines from signing up other people (A1, A2)."""
