"""Lists from elsewhere: read, looked at, taken over, taken back; and the whole list, written out."""
