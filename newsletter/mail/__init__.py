"""One message: addresses, header fields, bytes, the SMTP conversation and what its replies mean.

Pure but for the conversation itself.
"""
