"""What a loss does, found by asking it: nothing here is a list of names, so a new loss is explained by existing.

trial.py states the smallest problem a loss can be asked about; search.py finds the outputs that such a problem makes
cheapest; properness.py says what that means for reading predictions; tags.py names what a loss is, curve.py is its
state, and page.py is all of it together.
"""
