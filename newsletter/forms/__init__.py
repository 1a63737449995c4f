"""Sign-up forms: what they ask for, and every wording of a consent that somebody was ever shown."""
