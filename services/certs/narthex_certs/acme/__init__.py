"""The ACME protocol (RFC 8555), a request at a time.

    problem.py   what can go wrong: the CA said no, or it is away
    messages.py  the CA's objects
    signing.py   the account's key: signatures, thumbprint, external account binding
    client.py    the requests

Nothing here waits for the CA to do its work or remembers an order: that is `narthex_certs.order` and
`narthex_certs.obtain`, which can be stopped and resumed between any two requests.
"""
