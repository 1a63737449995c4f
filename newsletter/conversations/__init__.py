"""People who write back: conversations, answers, letters of readers, small questions."""
