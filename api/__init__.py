"""The API that viewers' apps, the web client and the CLI call: Litestar on granian, everything below `/api/v1`.

Each folder is one resource with the same three files. `controller` has the paths and nothing else. `schemas` has the
JSON bodies, as msgspec structs that refuse unknown fields. `service` does the work through the stores' contracts. `app`
puts the folders together, `problems` turns every error into an RFC 9457 document, and `guards` checks the token of
every request.
"""
