"""Torture: what must hold whatever happens, tried again and again, with a table at the end."""
