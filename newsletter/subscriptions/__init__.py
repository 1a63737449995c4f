"""Sign-up, double opt-in, consent, leaving, suppression."""
