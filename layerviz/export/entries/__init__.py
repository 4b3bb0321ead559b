"""The exports, a module for each section of the Export tab; nothing here is heavy to import."""
