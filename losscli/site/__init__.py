"""The reference as a static site, made from the code: what a loss, a metric, a task, a rule, a finding, a command says of itself.

| who      | does                                                                                   |
|----------|----------------------------------------------------------------------------------------|
| `Topic`  | one page: a title, a sentence, blocks of text, facts, tables and code (`topics.py`)      |
| chapter  | makes the topics of one kind: a file of `chapters/` each                                |
| `build`  | writes them all into one flat folder, whole or not at all (`build.py`)                   |

Commands come as topics from whoever knows them (`losscli/cli/manual.py`). No page needs a server, and none loads anything.
"""
