"""The playground: small runs trained beforehand, as one page on which a learner sees how they differ.

scene.py is what may be chosen and table.py the rows; grid.py trains every choice in one stack, and record.py keeps what the
page shows of each run at some epochs; notices.py says what there is to see, where the numbers say so; stories/ lead from
one choice to the next; contents.py is all of it as the page takes it.
"""
