"""Letters that were written elsewhere: files of other programs, read into Markdown, with pictures, dates and addresses."""
