"""The API: in process over real stores; through a real granian server where the server's part matters."""
