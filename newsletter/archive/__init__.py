"""Published issues become a folder of plain files, by way of archive_site."""
