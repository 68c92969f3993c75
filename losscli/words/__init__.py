"""A comparison as people read it: its columns, numbers and paragraph, which all outputs show alike. No markup here."""
