"""Every operation of the API, once, as data: a module a noun. `Client` and `AsyncClient` carry out the same ones.

Arguments named `project` default to the client's own project. Lists that come in pages are a `Listing`, everything
else a `Call` or, where something is waited for, a `Wait`.
"""
