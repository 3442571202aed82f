"""Accounts, profiles and sessions.

Passwords are hashed with argon2id. Access tokens are JWTs signed with Ed25519 (`tokens`, `keys`) and end with their session
(`ended_sessions`). A refresh token works once; its use issues the next one (`sessions`, `refresh_tokens`). The web client's
is in a cookie (`cookies`).
"""
