"""Accounts, profiles and sessions.

Passwords are hashed with argon2id. Access tokens are JWTs signed with Ed25519. A refresh token works once; its use
issues the next one (`service`).
"""
