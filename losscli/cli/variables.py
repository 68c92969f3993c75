"""The environment variables that losscli listens to, and what each is for."""

VARIABLES = {
    "LOSSCLI_RUNS": "where records go, and are",
    "LOSSCLI_WORKERS": "stacks at once",
    "NO_COLOR": "no colours",
    "FORCE_COLOR": "colours, wherever the text goes",
    "COLUMNS": "how wide the text is",
    "TMPDIR": "where a table goes that memory does not hold",
    "OMP_NUM_THREADS": "threads of torch",
}
