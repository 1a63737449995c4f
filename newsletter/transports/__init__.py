"""How mail leaves this machine: the built-in catcher or a mail server of one's own."""
