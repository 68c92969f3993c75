"""Deploy: a record's runs put to use on new rows (predict), and handed over as ordinary models (export)."""
