"""What one subscribes to: name, sender, imprint, language, time zone."""
