"""`narthex apply` and `narthex export`: a project's deployments, versions, instances and services as a file.

`manifest` reads the file, `state` what is there, `plan` compares the two and `execute` carries the steps out. A file
is the whole truth about what it names: a field that it leaves out has its default. What it does not name is left
alone, or removed with `--prune`.
"""
