"""The API that viewers' apps, the web client and the CLI call: Litestar on granian, all below `/api/v1`.

Each folder is one part of it with the same file names: `controller` (paths, nothing else), `schemas` (the wire, msgspec
structs that refuse unknown fields) and `service` (what happens, over the stores' contracts). `app` puts them together;
`problems` turns every error into an RFC 9457 document; `guards` checks the token of every request.
"""
