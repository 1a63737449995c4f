"""What a raw mail is: bounce, complaint, auto-reply, or a person. Pure: bytes in, values out."""
