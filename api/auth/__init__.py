"""Accounts, profiles and sessions: passwords by argon2, access tokens by Ed25519, refresh tokens that rotate."""
