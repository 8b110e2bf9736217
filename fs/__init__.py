"""Where apps are found: the file system of pictures."""
