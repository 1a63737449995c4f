"""The development mail catcher: a real SMTP server that keeps everything and sends nothing on."""
