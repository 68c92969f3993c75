"""Reports: a comparison in another form, for programs or for people elsewhere. The terminal's own form is cli/show.py."""
