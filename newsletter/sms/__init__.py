"""Text messages to readers who wanted them: the way that still works when everything else is out."""
