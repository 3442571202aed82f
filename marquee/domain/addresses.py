"""E-mail addresses: what two spellings of one address have in common.

Accounts are unique by it, and attempts to log in are counted by it, so that another spelling is neither another account nor
another set of guesses.
"""

import unicodedata


def folded_address(email: str) -> str:
    """Without case and spaces around it, in one Unicode form (NFKC)."""
    return unicodedata.normalize("NFKC", email.strip()).casefold()
