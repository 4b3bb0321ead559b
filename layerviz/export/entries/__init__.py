"""The exports, a module for each section of the tab Export; nothing here is heavy to import."""
