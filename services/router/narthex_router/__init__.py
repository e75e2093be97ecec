"""The router: HTTPS in, healthy instances out.

One main process keeps the shared table up to date (`projection`) and runs N workers; each worker follows the
table and serves requests on its own event loop.

Glossary. *Downstream* is the client's side of a request, *upstream* the instance's. A *route* is all that is
needed to serve one host. An *endpoint* is one instance as one service reaches it, with its connections. An
*exchange* is one request with its response.

Hot path: `table` (host to route), `http1` (bytes in), `shape` (what was decided before), `outgoing` (bytes out),
`exchange` (what may happen when), `downstream` (the client's connection), `forwarding` (the request's course),
`answering` (the way back), `upstream` and `endpoints` (the instance's side). Everything else here may be slow.
"""
