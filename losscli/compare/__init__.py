"""From finished runs to a comparison: arenas, entries, statistics. No torch here."""
