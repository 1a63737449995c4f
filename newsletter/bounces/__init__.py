"""What mail servers and people say against a letter: refusals, bounces, complaints, and what follows from them."""
