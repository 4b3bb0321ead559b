"""The page's parts, one file each: widgets only, no computation."""
