"""The playground: small runs trained beforehand, as one page on which a learner sees how they differ.

scene.py is what may be chosen, scenes/ the data that pages come with, and table.py a user's own. grid.py trains every choice
in one stack, record.py keeps what the page shows of each run at some epochs, and trace.py is one of them in numbers for a
learner. notices.py says what there is to see, where the numbers say so; stories/ lead from one choice to the next.
contents.py is all of it as the script takes it, page.py the whole document.
"""
