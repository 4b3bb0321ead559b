"""One open run: its header, progress and tabs, a file each."""
