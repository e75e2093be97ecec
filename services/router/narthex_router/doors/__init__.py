"""The ways into a service besides tokens, and who is kept out whatever they bring.

`policy` is what a service says of its doors. What all requests with the same header lines have in common is decided
once, by `access` and the modules of each door: `basic`, `bearer` (JSON Web Tokens), `certificate` (of clients),
`session` (browsers), `cors`. What depends on a request's method and target is looked at by `entrance`, for requests
that have to pass one. `porter` finds out what cannot be said at once, `keys` fetches what issuers sign with. `standing`
looks again at what is under way when something has changed; `sign_out` and `crier` end sessions everywhere. Tokens need
none of it.
"""
