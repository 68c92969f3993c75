"""Advice: what a table holds (inspect), which losses its target asks for and why (recommend), and a first spec for it."""
