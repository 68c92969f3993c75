"""Reports: a comparison in another form, for programs or people elsewhere. The terminal's form is cli/show.py."""
