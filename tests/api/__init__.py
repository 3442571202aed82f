"""The API: in process over real stores for most, through a real granian server where the server's part matters."""
