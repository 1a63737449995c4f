"""The door for what comes in: mails and events are stored before they are understood."""
